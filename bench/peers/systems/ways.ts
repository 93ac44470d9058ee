import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type Running } from './system.js';

/** How long a supervisor waits before it kills; Docker's default. systemd waits for 90 s. */
const STOP_MS = 10_000;

/** A program that does its restart itself when it gets a signal. */
export function bySignal(program: ChildProcess, signal: NodeJS.Signals): Running {
  return { restart: () => void program.kill(signal) };
}

/**
 * What a supervisor does with a program that cannot share its port: SIGTERM, wait for the end, start it again.
 * Nobody listens in between.
 */
export function byStopAndStart(start: () => ChildProcess): Running {
  let program = start();
  return {
    restart: async () => {
      const exited = once(program, 'exit');
      program.kill('SIGTERM');
      const timer = setTimeout(() => program.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(timer);
      program = start();
    },
  };
}

/** The version that a command prints. Throws if it is not installed. */
export function printedVersion(command: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${command} is not installed`);
  const found = pattern.exec(stdout + stderr)?.[1];
  if (found === undefined) throw new Error(`${command} does not run: ${(stdout + stderr).trim().split('\n').at(-1)}`);
  return found;
}
