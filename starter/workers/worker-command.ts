/** A command for spawn(). */
export interface WorkerCommand {
  readonly file: string;
  readonly args: readonly string[];
}

/** What a shell takes for a variable; dash passes no others on. */
const SHELL_NAME = /^[A-Za-z_]\w*$/;

/**
 * A command line that becomes the program by way of a shell: only the process
 * itself can put its own pid into `LISTEN_PID`, and exec(2) keeps the pid.
 * Variables that no shell can name are put back by env(1).
 *
 * @param stdin - a descriptor to have as descriptor 0 too. Where libuv passes a
 * socket as stdin it clears O_NONBLOCK, under the feet of the workers before.
 */
export function workerCommand(exec: readonly string[], env: NodeJS.ProcessEnv, stdin?: number): WorkerCommand {
  const odd = Object.entries(env).filter(([name]) => !SHELL_NAME.test(name));
  const restored = odd.length === 0 ? [] : ['env', ...odd.map(([name, value]) => `${name}=${value}`)];
  const script = [
    ...('LISTEN_PID' in env ? ['LISTEN_PID=$$', 'export LISTEN_PID'] : []),
    ...(stdin === undefined ? [] : [`exec <&${stdin}`]),
    'exec "$@"',
  ];
  return { file: '/bin/sh', args: ['-c', script.join('; '), 'sh', ...restored, ...exec] };
}
