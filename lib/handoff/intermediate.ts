import { isRunning } from '../process-table.js';
import { type Command } from './command.js';

const LOOK_EVERY_MS = 20;

/**
 * Starts the program in the background of a shell that exits at once: init, or
 * who else collects orphans, becomes its parent. A shell gives such a program
 * /dev/null as stdin where nothing is said, hence `<&0`; dash does all the same,
 * which for a service, whose stdin is /dev/null, makes no difference.
 */
export function throughIntermediate({ file, args, cwd }: Command): Command {
  return { file: '/bin/sh', args: ['-c', '"$@" <&0 &', 'sh', file, ...args], cwd };
}

/** Waits for the end of a process that is not a child of this one; fulfils at once where there is none. */
export async function untilGone(pid: number | undefined): Promise<void> {
  while (pid !== undefined && isRunning(pid)) await nextLook();
}

function nextLook(): Promise<void> {
  return new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
}
