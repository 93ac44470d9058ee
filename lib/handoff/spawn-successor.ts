import { type ChildProcess } from 'node:child_process';
import { logger } from '../log.js';
import { type Command } from '../launch/command.js';
import { throughIntermediate } from '../launch/intermediate.js';
import { optionsWithPreload } from '../launch/preload.js';
import { CHANNEL_FD } from '../launch/take-channel.js';
import { HANDOFF } from './handoff-variable.js';

const log = logger('successor');

/** What a successor is started with. */
export interface Spawn {
  readonly command: Command;
  readonly env: Readonly<Record<string, string>>;
  /** The descriptors to pass, from 3 on. */
  readonly descriptors: readonly number[];
  /** The variable `GRACE_HANDOFF`. */
  readonly handoff: string;
  /** What comes after the handoff pipe. */
  readonly more: readonly ('pipe' | number)[];
  readonly channel: boolean;
  readonly serviceManager?: Readonly<Record<string, string>> | undefined;
}

/**
 * stdio takes the numbers of descriptors and clears their close-on-exec flag in the new process.
 *
 * @throws the system's error if no process can be started: no descriptor, no memory, too long an argument.
 */
export function spawnSuccessor({ command, env, descriptors, handoff, more, channel, serviceManager }: Spawn): ChildProcess {
  // Not imported at the top: a successor starts faster without it, and most processes never restart.
  const { spawn } = process.getBuiltinModule('node:child_process');
  const { file, args, cwd } = serviceManager === undefined ? command : throughIntermediate(command);
  const child = spawn(file, args, {
    cwd,
    env: {
      ...env,
      ...serviceManager,
      PWD: cwd,
      NODE_OPTIONS: optionsWithPreload(env['NODE_OPTIONS']),
      [HANDOFF]: handoff,
      // Node.js adds the number at the end, and getenv(3) takes the first of two. So the successor opens the channel later.
      ...(channel && { [CHANNEL_FD]: '' }),
    },
    stdio: ['inherit', 'inherit', 'inherit', ...descriptors, 'pipe', ...more, ...(channel ? ['ipc' as const] : [])],
  });
  if (hasPipes(child)) return child;
  child.once('error', (error) => log('%s', error.message));
  throw new Error('the successor could not be started: no file descriptor is free (EMFILE or ENFILE)');
}

/** With no descriptor left, spawn() returns a process without stdio, and emits the error later. */
function hasPipes(child: ChildProcess): boolean {
  return (child.stdio as ChildProcess['stdio'] | undefined) !== undefined;
}
