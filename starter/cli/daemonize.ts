import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { type Readable } from 'node:stream';
import { readLines } from '../../lib/handoff/lines.js';
import { type StartObserver } from '../start.js';

/** Tells the background process which descriptor is its pipe to the foreground process. */
const REPORT_FD = 'START_SERVER_REPORT_FD';
const FD = 3;

/** What the background process reports: messages for stderr, and at the end an error, or null if the start succeeded. */
type Report = { readonly message: string } | { readonly error: string | null };

/**
 * Runs this command again in the background, in a new session of which it is not
 * the leader (fork, setsid, fork).
 *
 * @returns the exit code, when the background process has bound everything or failed.
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
      if ('message' in report) {
        say(report.message);
        return;
      }
      code = report.error === null ? 0 : 1;
      if (report.error !== null) say(report.error);
    });
    child.once('error', (error) => say(`start_server: ${error.message}`));
    pipe.once('close', () => done(code ?? 1));
  });
}

/** In the background process: reports to the foreground process. Undefined in any other process. */
export function foregroundReporter(): (StartObserver & { fail(message: string): void }) | undefined {
  const fd = Number(process.env[REPORT_FD]);
  if (process.env[REPORT_FD] === undefined) return undefined;
  delete process.env[REPORT_FD];
  const send = (report: Report): void => {
    try {
      writeSync(fd, `${JSON.stringify(report)}\n`);
    } catch {
      // The foreground process has exited; this one has its log.
    }
  };
  const end = (error: string | null): void => {
    send({ error });
    closeSync(fd);
  };
  return { onMessage: (message) => send({ message }), onBound: () => end(null), fail: end };
}
