import { type ChildProcess, spawn } from 'node:child_process';
import { formatAddress } from '../../lib/address/address.js';
import { HANDOFF, type HandoffSocket, formatHandoff } from '../../lib/handoff/handoff-variable.js';
import { type Descriptors } from '../sockets/descriptors.js';
import { type HeldSocket } from '../sockets/held-socket.js';

export interface SpawnOptions {
  readonly exec: readonly string[];
  readonly directory: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly descriptors: Descriptors<HeldSocket>;
  readonly backlog: number;
  /** Whether the worker gets the variables of systemd too. */
  readonly listenFds: boolean;
  readonly generation: number;
  /** 1 to `--workers`. */
  readonly number: number;
  /** The worker's stdout and stderr; undefined: those of this process. */
  readonly output: number | undefined;
}

/** The names that a shell accepts for a variable; dash passes no others on. */
const SHELL_NAME = /^[A-Za-z_]\w*$/;

/**
 * Starts the program with its sockets, their variables, the handoff pipe, which is
 * `stdio[descriptors.nextFree]`, and after it the channel for connections.
 *
 * @throws the system's error if there is no memory for a process.
 */
export function spawnWorker(options: SpawnOptions, nonce: string): ChildProcess {
  const { exec, descriptors, directory, output = 'inherit' } = options;
  const env = workerEnvironment(options, nonce);
  const extra = descriptors.extra.map((socket) => socket?.fd ?? 'ignore');
  return spawn('/bin/sh', shellArguments(exec, env, descriptors.stdin), {
    cwd: directory,
    env,
    stdio: [descriptors.stdin === undefined ? 'inherit' : 'ignore', output, output, ...extra, 'pipe', 'ipc'],
  });
}

function workerEnvironment(options: SpawnOptions, nonce: string): NodeJS.ProcessEnv {
  const { env, directory, descriptors, generation, number, listenFds } = options;
  return {
    ...env,
    ...(directory === undefined ? {} : { PWD: directory }),
    ...descriptors.variables,
    ...(listenFds && 'LISTEN_FDS' in descriptors.listenVariables && { ...descriptors.listenVariables, LISTEN_PID: '' }),
    SERVER_STARTER_GENERATION: String(generation),
    SERVER_STARTER_WORKER: String(number),
    [HANDOFF]: formatHandoff({
      pid: process.pid,
      generation,
      pipe: descriptors.nextFree,
      channel: descriptors.nextFree + 1,
      nonce,
      sockets: handoffSockets(options),
      superdaemon: true,
    }),
  };
}

function handoffSockets({ descriptors, backlog }: SpawnOptions): HandoffSocket[] {
  return [...descriptors.fds]
    .filter(([{ kind }]) => kind === 'stream')
    .map(([{ name, bound }, fd]) => {
      return { fd, name, asked: formatAddress(bound), bound, backlog, origin: 'server-starter', file: undefined };
    });
}

/**
 * A shell command that becomes the program: only the process itself can put its
 * own pid into `LISTEN_PID`, and exec(2) keeps the pid. Variables whose names the
 * shell does not accept are set again by env(1).
 *
 * @param stdin - a descriptor that becomes descriptor 0. If libuv passed a socket
 * as stdin, it would clear O_NONBLOCK, which the earlier workers share.
 */
function shellArguments(exec: readonly string[], env: NodeJS.ProcessEnv, stdin: number | undefined): string[] {
  const refused = Object.entries(env).filter(([name]) => !SHELL_NAME.test(name));
  const restored = refused.length === 0 ? [] : ['env', ...refused.map(([name, value]) => `${name}=${value}`)];
  const script = [
    // Node.js would open the channel itself, and show it to the program.
    'unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE',
    ...('LISTEN_PID' in env ? ['LISTEN_PID=$$', 'export LISTEN_PID'] : []),
    ...(stdin === undefined ? [] : [`exec <&${stdin}`]),
    'exec "$@"',
  ];
  return ['-c', script.join('; '), 'sh', ...restored, ...exec];
}
