import { sleep } from '../deadline.js';
import { isRunning } from '../process-table.js';
import { type Command } from './command.js';

const LOOK_EVERY_MS = 20;

/**
 * Starts the program in the background of a shell that exits at once, so that
 * the system's init becomes its parent. `<&0` keeps its stdin, for which a shell
 * would otherwise use /dev/null. dash does so even with `<&0`; the stdin of a
 * service is /dev/null anyway.
 */
export function throughIntermediate({ file, args, cwd }: Command): Command {
  return { file: '/bin/sh', args: ['-c', '"$@" <&0 &', 'sh', file, ...args], cwd };
}

/**
 * Waits until a process that is not a child of this one has ended; fulfils at once if there is no such process.
 *
 * @param enough - ends the waiting.
 */
export async function untilGone(pid: number | undefined, enough: () => boolean = () => false): Promise<void> {
  while (pid !== undefined && isRunning(pid) && !enough()) await sleep(LOOK_EVERY_MS);
}
