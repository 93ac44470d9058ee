import { setTimeout as sleep } from 'node:timers/promises';
import { type StatusOptions, serverStatus } from '../control/status.js';
import { formatStatus } from './format-status.js';

const LOOK_EVERY_MS = 200;
/** To the top left, and clear all that is below. */
const CLEAR_SCREEN = '\x1b[H\x1b[J';

export interface PrintStatusOptions extends StatusOptions {
  readonly json: boolean;
  /** Print it again at each change, until start_server has stopped. */
  readonly watch: boolean;
}

/**
 * Prints the status. With `watch`, a terminal shows a table that changes; a pipe gets
 * each change once, with `json` as a line of JSON.
 *
 * @throws GraceError `NOT_RUNNING`, `PID_FILE`, `FILE_INVALID`
 */
export async function printStatus(options: PrintStatusOptions): Promise<void> {
  const { stdout } = process;
  let before = '';
  do {
    const status = serverStatus(options);
    const text = options.json ? JSON.stringify(status, null, options.watch ? 0 : 2) : formatStatus(status, Date.now());
    // On a terminal the ages change too.
    const key = stdout.isTTY ? text : JSON.stringify(status);
    if (key !== before) stdout.write(`${options.watch && stdout.isTTY && !options.json ? CLEAR_SCREEN : ''}${text}\n`);
    before = key;
    if (options.watch) await sleep(LOOK_EVERY_MS);
  } while (options.watch);
}
