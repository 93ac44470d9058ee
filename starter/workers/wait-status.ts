import { constants } from 'node:os';

/** The wait status if exec(2) failed, as Server::Starter's child process reports it. */
export const EXEC_FAILED = 255 << 8;

/**
 * How a process ended, as wait(2) encodes it and Server::Starter prints it: exit
 * code 3 is 768, SIGKILL is 9. Node.js does not tell if there was a core dump,
 * which would add 128.
 */
export function waitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) << 8 : constants.signals[signal];
}
