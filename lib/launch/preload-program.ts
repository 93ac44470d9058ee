import { type Channel, type CompiledProgram, type Preload, HANDOFF, PROCESS_STATE, withoutPreload } from './preload-contract.js';
import { takeChannel } from './take-channel.js';

/**
 * Runs in a successor before its program does: it takes `GRACE_HANDOFF` out of
 * the environment, reads the predecessor's greeting, copies stderr into the
 * handoff pipe and reports the exit code, until the program is ready, or no longer on
 * probation. It hides the channel by which connections arrive, so that the program does
 * not see it. It ends a program that does not become ready and has no predecessor any more.
 *
 * A failed restart has to say why, so the predecessor needs what the successor
 * writes to stderr while it starts. That stream cannot go through the
 * predecessor, which exits later, and Node.js cannot redirect descriptor 2
 * afterwards. So the successor has the real stderr from the start, and the
 * preload sends a copy.
 *
 * Any Node.js program may inherit the variable, and its descriptors are then its
 * own. So nothing is written before the pipe has answered with the nonce, and an
 * error never reaches the program.
 */

/** The fields of `GRACE_HANDOFF` that the preload uses. */
interface Ours {
  readonly pipe: number;
  readonly nonce: string;
  /** Milliseconds until the successor has to be ready. */
  readonly timeout?: number;
  readonly channel?: number;
  readonly program?: number;
}

/** The part of the process state that the preload knows. */
interface State {
  readonly variables: Readonly<Record<string, string>>;
  preload?: Preload;
  channel?: Channel | undefined;
  program?: CompiledProgram;
}

const BUFFER_BYTES = 65_536;
/** How often a successor that is late looks whether its predecessor is still there. */
const LOOK_EVERY_MS = 500;

const { fstatSync, readSync, writeSync } = process.getBuiltinModule('node:fs');

guarded(() => {
  const text = takeVariable();
  // A worker thread of the successor, or a program that it started.
  if (text === undefined) return;
  const state: State = { variables: { [HANDOFF]: text } };
  Reflect.set(globalThis, Symbol.for(PROCESS_STATE), state);
  const { pipe, nonce, timeout, channel, program } = JSON.parse(text) as Ours;
  const greeting = readGreeting(pipe, nonce);
  if (greeting === undefined) return;
  state.preload = begin(pipe, greeting, timeout);
  if (program !== undefined) state.program = { received: program };
  if (channel !== undefined) state.channel = takeChannel(channel);
});

function takeVariable(): string | undefined {
  const { [HANDOFF]: text, NODE_OPTIONS: options } = process.env;
  if (text === undefined) return undefined;
  delete process.env[HANDOFF];
  const rest = withoutPreload(options);
  if (rest === undefined) delete process.env['NODE_OPTIONS'];
  else process.env['NODE_OPTIONS'] = rest;
  return text;
}

/** Undefined if the descriptor is not the handoff pipe. Empty if the predecessor died before it wrote. */
function readGreeting(pipe: number, nonce: string): string | undefined {
  // As bigint: see lib/check/file-type.ts, whose import would take time.
  if (!fstatSync(pipe, { bigint: true }).isSocket() || isChannel(pipe)) return undefined;
  const pieces: Buffer[] = [];
  while (pieces.at(-1)?.includes('\n') !== true) {
    const piece = Buffer.alloc(BUFFER_BYTES);
    const length = readOrEnd(pipe, piece);
    if (length === 0) break;
    pieces.push(piece.subarray(0, length));
  }
  const line = Buffer.concat(pieces).toString().trimEnd();
  return line === '' || (JSON.parse(line) as Ours).nonce === nonce ? line : undefined;
}

/** ECONNRESET, if the predecessor died with something unread, is an end too. */
function readOrEnd(fd: number, into: Buffer): number {
  try {
    return readSync(fd, into);
  } catch {
    return 0;
  }
}

/** Whether a descriptor is the IPC channel of a program that was started by fork(). */
function isChannel(fd: number): boolean {
  return (process.channel as { readonly fd?: number } | undefined)?.fd === fd;
}

function begin(pipe: number, greeting: string, timeout: number | undefined): Preload {
  let open = true;
  let write = (line: string): void => void writeSync(pipe, line);
  const send = (message: object): boolean => {
    try {
      if (open) write(`${JSON.stringify(message)}\n`);
    } catch {
      open = false;
    }
    return open;
  };
  send({ type: 'started', pid: process.pid });
  const stopReporting = reportEnd(send);
  const stopCopying = copyStderr((text) => send({ type: 'stderr', text }));
  const stopTimer = endIfAlone(timeout, () => send({ type: 'stderr', text: '' }));
  const stop = (): void => {
    open = false;
    stopReporting();
    stopCopying();
    stopTimer();
  };
  const goOn = (through: (line: string) => void): void => {
    stopTimer();
    write = through;
  };
  return { greeting, stop, goOn };
}

/**
 * The predecessor stops a successor that is not ready in time. If it is gone, the
 * successor has to end itself, or it would hold the sockets for ever. A write into
 * the pipe shows whether anybody has the other end.
 */
function endIfAlone(timeout: number | undefined, isHeard: () => boolean): () => void {
  if (timeout === undefined) return () => undefined;
  const look = (): void => {
    if (!isHeard()) {
      process.stderr.write(`not ready within ${timeout} ms, and the previous process is gone: exiting\n`);
      process.exit(1);
    }
    timer = setTimeout(look, LOOK_EVERY_MS).unref();
  };
  let timer = setTimeout(look, timeout).unref();
  return () => clearTimeout(timer);
}

function reportEnd(send: (message: object) => void): () => void {
  const { inspect } = process.getBuiltinModule('node:util');
  const onUncaught = (error: unknown): void => guarded(() => send({ type: 'stderr', text: `${inspect(error)}\n` }));
  const onExit = (code: number): void => send({ type: 'exit', code });
  process.on('uncaughtExceptionMonitor', onUncaught);
  process.on('exit', onExit);
  return () => process.off('uncaughtExceptionMonitor', onUncaught).off('exit', onExit);
}

/** Node.js creates process.stderr at the first access, so it is not accessed here: every restart would pay for it. */
function copyStderr(copy: (text: string) => void): () => void {
  const original = Object.getOwnPropertyDescriptor(process, 'stderr');
  if (original === undefined) return () => undefined;
  let restore = (): void => undefined;
  Object.defineProperty(process, 'stderr', {
    configurable: true,
    enumerable: true,
    get() {
      Object.defineProperty(process, 'stderr', original);
      const stream = process.stderr;
      const write = stream.write;
      const copying = function copied(this: NodeJS.WriteStream, ...args: unknown[]): boolean {
        guarded(() => copy(String(args[0])));
        return Reflect.apply(write, this, args) as boolean;
      };
      stream.write = copying;
      restore = () => {
        if (stream.write === copying) stream.write = write;
      };
      return stream;
    },
  });
  return () => restore();
}

function guarded(work: () => void): void {
  try {
    work();
  } catch {
    // The program runs without the preload. The library reports a variable that it cannot read.
  }
}
