import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { type Readable } from 'node:stream';
import { readLines } from '../../lib/handoff/lines.js';
import { type StartObserver } from '../start.js';

/** Tells the process that goes on in the background which descriptor leads to the one in the foreground. */
const REPORT_FD = 'START_SERVER_REPORT_FD';
const FD = 3;

/** What the background process reports: words for stderr, and at last how the start went. */
type Report = { readonly say: string } | { readonly error: string | null };

/**
 * Runs this command again in the background: in a session of its own, and no
 * leader of it (fork, setsid, fork). Fulfils when that has bound everything.
 *
 * @returns the exit code.
 */
export function runInBackground(say: (message: string) => void): Promise<number> {
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('/bin/sh', ['-c', '"$@" &', 'sh', ...command], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: { ...process.env, [REPORT_FD]: String(FD) },
  });
  const pipe = child.stdio[FD] as Readable;
  return new Promise((done) => {
    let code: number | undefined;
    readLines(pipe, (line) => {
      const report = JSON.parse(line) as Report;
      if ('say' in report) say(report.say);
      else code = report.error === null ? 0 : 1;
      if ('error' in report && report.error !== null) say(report.error);
    });
    child.once('error', (error) => say(`start_server: ${error.message}`));
    pipe.once('close', () => done(code ?? 1));
  });
}

/** In the background process: the way to the foreground. Undefined in every other. */
export function reporter(): (StartObserver & { fail(message: string): void }) | undefined {
  const fd = Number(process.env[REPORT_FD]);
  if (process.env[REPORT_FD] === undefined) return undefined;
  delete process.env[REPORT_FD];
  const send = (report: Report): void => {
    try {
      writeSync(fd, `${JSON.stringify(report)}\n`);
    } catch {
      // The foreground process was ended; this one has its log.
    }
  };
  const end = (error: string | null): void => {
    send({ error });
    closeSync(fd);
  };
  return { say: (say) => send({ say }), onBound: () => end(null), fail: end };
}
