import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARY = import.meta.resolve('ts-grace/gracehttp');
const ANNOUNCE = new URL('../fixtures/announce.js', import.meta.url).href;

/** A release that serves, and answers with its name. `before` runs before it serves. */
export function goodRelease(name: string, listen: string, before = '', options = '{}'): string {
  return `
    import http from 'node:http';
    import { App } from ${JSON.stringify(LIBRARY)};
    import { announce, announceEvents, serveOrAnnounce } from ${JSON.stringify(ANNOUNCE)};
    // Most tests of restarts wait for the end of the first process.
    const app = new App({ follow: false, probation: 0, ...${options} });
    announceEvents(app);
    ${before}
    const server = http.createServer((request, response) => response.end(${JSON.stringify(name)}));
    await serveOrAnnounce(app, { server, listen: ${JSON.stringify(listen)}, name: 'web' });
  `;
}

/** For `before`: announces `loaded` and waits for SIGHUP. */
export const WAIT = `
  const timer = setInterval(() => {}, 1000);
  const told = new Promise((done) => process.once('SIGHUP', done));
  announce('loaded');
  await told;
  clearInterval(timer);
`;

/** Writes the program of a release as a deployment does. A process that runs keeps its program; its successor gets this one. */
export function writeRelease(folder: string, program: string): string {
  const path = join(folder, 'server.mjs');
  writeFileSync(path, program);
  return path;
}
