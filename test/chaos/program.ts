import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a release does when it is started; `good` serves. */
export const RELEASES = {
  good: '',
  slow: 'await sleep(400);',
  exits: 'process.exit(7);',
  throws: 'throw new Error("no database");',
  hangs: 'await sleep(60_000);',
  deaf: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
  'kills itself': 'process.kill(process.pid, "SIGKILL");',
  'dies behind its pid file': `
    const { renameSync } = fs;
    fs.renameSync = (from, to) => {
      renameSync(from, to);
      if (String(to).endsWith('app.pid')) process.kill(process.pid, 'SIGKILL');
    };
    syncBuiltinESMExports();`,
  'closes the pipe': 'for (let fd = 3; fd < 12; fd += 1) { try { fs.closeSync(fd); } catch {} } await sleep(60_000);',
  'throws in a ready listener': 'app.on("ready", () => { throw new Error("a listener failed"); });',
} as const;
export type Release = keyof typeof RELEASES;

/** Times of the program, in milliseconds. */
export const TIMES = { drainTimeout: 6_000, idleTimeout: 1_000, restartTimeout: 1_500 };

/** Writes the program as a deployment does; the process that runs now is not touched. */
export function writeProgram(folder: string, release: Release): void {
  const text = `
import fs from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { App } from 'ts-grace/gracehttp';

const app = new App({ pidFile: 'app.pid', probation: 0, ...${JSON.stringify(TIMES)} });
for (const event of ['ready', 'restarting', 'restarted', 'restart-failed', 'draining', 'closed']) {
  app.on(event, (fact) => console.log(new Date().toISOString(), process.pid, event, fact?.message ?? JSON.stringify(fact) ?? ''));
}
${RELEASES[release]}
const handler = async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  response.setHeader('x-pid', process.pid);
  for await (const _ of request);
  await sleep(Number(url.searchParams.get('ms') ?? 0));
  response.end(url.pathname === '/large' ? 'x'.repeat(1_000_000) : 'answered');
};
await app.serve(
  { server: http.createServer(handler), listen: '127.0.0.1:' + process.argv[2], name: 'tcp' },
  { server: http.createServer(handler), listen: 'unix:app.sock', name: 'unix', mode: 0o600 },
);
`;
  writeFileSync(join(folder, 'server.mjs'), text);
}
