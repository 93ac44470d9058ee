import { constants } from 'node:os';

/**
 * How a process ended, as wait(2) encodes it and Server::Starter prints it: exit
 * code 3 is 768, SIGKILL is 9. That a core was dumped (128 more) Node.js does
 * not tell.
 */
export function waitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) << 8 : constants.signals[signal];
}
