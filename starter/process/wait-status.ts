import { constants } from 'node:os';

/** The wait status if exec(2) failed, as Server::Starter's child process reports it. */
export const EXEC_FAILED = 255 << 8;

const SIGNAL_BITS = 0x7f;

/** As wait(2) encodes it. Undefined: this process could not wait for it, as it is not its child. */
export type WaitStatus = number | undefined;

/**
 * How a process ended, as wait(2) encodes it and Server::Starter prints it: exit
 * code 3 is 768, SIGKILL is 9. Node.js does not tell if there was a core dump,
 * which would add 128.
 */
export function waitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) << 8 : constants.signals[signal];
}

/** As Server::Starter prints it. */
export function showStatus(status: WaitStatus): string {
  return status === undefined ? 'unknown' : String(status);
}

/** In words: `exited with code 3`, `was killed by SIGKILL`. */
export function describeStatus(status: WaitStatus): string {
  if (status === undefined) return 'ended';
  const number = status & SIGNAL_BITS;
  if (number === 0) return `exited with code ${status >> 8}`;
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return `was killed by ${name ?? `signal ${number}`}`;
}
