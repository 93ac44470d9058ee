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
  'says that it is broken': 'app.on("ready", () => setTimeout(() => app.probation.fail("no database"), Math.random() * 1_000));',
  'blocks on probation': 'app.on("ready", () => setTimeout(() => { for (;;); }, Math.random() * 500));',
  'has one socket less, and says that it is broken': `
    dropsOne = true;
    app.on('ready', () => setTimeout(() => app.probation.fail('no database'), Math.random() * 1_000));`,
} as const;
export type Release = keyof typeof RELEASES;

/** Times of the program, in milliseconds. */
export const TIMES = { drainTimeout: 6_000, idleTimeout: 1_000, restartTimeout: 1_500 };
/** Milliseconds for which an old process stands by, in the deployments in which it does. */
export const PROBATION_MS = 1_500;
/** How long a new process may be silent in this time. */
const HANG_TIMEOUT_MS = 500;

/** Writes the program as a deployment does; the process that runs now is not touched. */
export function writeProgram(folder: string, release: Release, probation: number): void {
  const options = {
    pidFile: 'app.pid',
    signals: { revert: ['SIGWINCH'] },
    probation: { time: probation, hangTimeout: HANG_TIMEOUT_MS },
    ...TIMES,
  };
  const text = `
import fs from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { App } from 'ts-grace/gracehttp';

const app = new App(${JSON.stringify(options)});
let dropsOne = false;
for (const event of ['ready', 'restarting', 'restarted', 'restart-failed', 'restart-reverted', 'draining', 'closed']) {
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
const entries = [
  { server: http.createServer(handler), listen: '127.0.0.1:' + process.argv[2], name: 'tcp' },
  { server: http.createServer(handler), listen: 'unix:app.sock', name: 'unix', mode: 0o600 },
];
await app.serve(...(dropsOne ? entries.slice(0, 1) : entries));
`;
  writeFileSync(join(folder, 'server.mjs'), text);
}
