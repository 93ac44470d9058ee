import { type ChildProcess } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { logger } from '../log.js';

const log = logger('close-on-exec');

/** open(2), the flags in /proc/self/fdinfo are in octal. */
const O_CLOEXEC = 0o2_000_000;
/** A short Node.js process takes 50 to 150 ms. */
const TIMEOUT_MS = 5_000;
const FIRST_FD = 3;

/**
 * Sends the descriptors from 3 on back, one after the other. Node.js opens them
 * without polling, so no connection is accepted. It has nothing public for that.
 * The receiver disconnects: if the sender did it, the last descriptor could get lost.
 */
const SEND_BACK = `
  const { _createServerHandle: open } = require('node:net');
  const count = Number(process.argv[1]);
  const send = (index) => {
    if (index < count) process.send(index, open(null, null, null, ${FIRST_FD} + index), () => send(index + 1));
  };
  process.channel.ref();
  send(0);
`;

/** What process.send() transports: a handle that is not polled. */
interface Handle {
  readonly fd: number;
}

/**
 * Handles whose descriptors are in use by number. Each stays as it is until the
 * process exits: closing it would close the descriptor.
 */
const kept = new Set<Handle>();

/**
 * Keeps descriptors from the programs that this process starts: they would hold
 * the sockets open when this process has closed them.
 *
 * When Node.js starts, it sets close-on-exec on what it inherited only up to the
 * first gap in the numbers above 15, and it cannot set it later. But a descriptor
 * that comes from another process through a unix socket has the flag. So a
 * short-lived process gets those without the flag, and sends them back.
 *
 * @returns the number of each descriptor now. Without `/proc`, and if no process
 * can be started, they stay as they are.
 */
export async function closeOnExec(fds: readonly number[]): Promise<readonly number[]> {
  const open = fds.filter(outlivesExec);
  if (open.length === 0) return fds;
  const handles = await sendRound(open);
  if (handles === undefined) return fds;
  const numbers = new Map(open.map((fd, index) => [fd, handles[index]!.fd]));
  for (const handle of handles) kept.add(handle);
  for (const [fd, number] of numbers) {
    closeSync(fd);
    log('descriptor %d is %d now', fd, number);
  }
  return fds.map((fd) => numbers.get(fd) ?? fd);
}

function outlivesExec(fd: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch {
    return false;
  }
}

/** Undefined if not all of them came back. */
function sendRound(fds: readonly number[]): Promise<readonly Handle[] | undefined> {
  return new Promise((done) => {
    const handles: Handle[] = [];
    const helper = spawnHelper(fds);
    if (helper === undefined) return done(undefined);
    const timer = setTimeout(() => helper.kill('SIGKILL'), TIMEOUT_MS);
    const finish = (): void => {
      clearTimeout(timer);
      done(handles.length === fds.length ? handles : undefined);
    };
    helper.on('message', (_, handle) => {
      handles.push(handle as unknown as Handle);
      if (handles.length === fds.length) helper.disconnect();
    });
    helper.once('disconnect', finish).once('error', finish);
  });
}

function spawnHelper(fds: readonly number[]): ChildProcess | undefined {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const env = { ...process.env, NODE_OPTIONS: '' };
  try {
    return spawn(process.execPath, ['-e', SEND_BACK, String(fds.length)], {
      cwd: '/',
      env,
      stdio: ['ignore', 'ignore', 'ignore', ...fds, 'ipc'],
    });
  } catch (error) {
    log('%s', error);
    return undefined;
  }
}
