import { HANDOFF } from './protocol.js';

/**
 * What runs in a successor before its program does.
 *
 * A failed restart has to say why, so the old process needs what the new one
 * writes to stderr while it starts. The stream itself cannot go through the old
 * process: that one leaves, and Node.js cannot point descriptor 2 elsewhere
 * later. So the successor has the real stderr from its first moment on, and
 * this module, loaded by `--import`, sends a copy through the handoff pipe until
 * the program is ready. It is a data: URL, as worker threads load it again when
 * the release that it came from may be gone.
 */

/** What the preloaded module leaves for the library, under a global symbol. */
interface Preload {
  /** The variable `GRACE_HANDOFF`, taken out of the environment before the program could pass it on. */
  readonly handoff: string;
  /** The parent's first line, which is in the pipe before this process is started. */
  readonly greeting: string;
  stop(): void;
}

const PRELOAD = Symbol.for('ts-grace.preload');
const PREFIX = '--import "data:text/javascript,';
const SUFFIX = '"';

/** Serialised and run elsewhere: it may use its parameters and globals only. */
function preload(variable: string, prefix: string, suffix: string): void {
  const handoff = process.env[variable];
  // In a worker thread of the successor, or in a program that it started.
  if (handoff === undefined) return;
  delete process.env[variable];
  const options = process.env['NODE_OPTIONS'] ?? '';
  const rest = options.slice(options.indexOf(suffix, prefix.length) + suffix.length).trimStart();
  if (rest === '') delete process.env['NODE_OPTIONS'];
  else process.env['NODE_OPTIONS'] = rest;

  const { readSync, writeSync } = process.getBuiltinModule('node:fs');
  const { inspect } = process.getBuiltinModule('node:util');
  let { pipe } = JSON.parse(handoff) as { pipe: number | undefined };
  const send = (message: object): void => {
    try {
      if (pipe !== undefined) writeSync(pipe, `${JSON.stringify(message)}\n`);
    } catch {
      pipe = undefined;
    }
  };
  send({ type: 'started', pid: process.pid });
  const pieces: Buffer[] = [];
  while (pipe !== undefined && pieces.at(-1)?.includes('\n') !== true) {
    const piece = Buffer.alloc(65_536);
    const length = readSync(pipe, piece);
    if (length === 0) break;
    pieces.push(piece.subarray(0, length));
  }
  const greeting = Buffer.concat(pieces).toString().trimEnd();
  const onUncaught = (error: unknown): void => send({ type: 'stderr', text: `${inspect(error)}\n` });
  const onExit = (code: number): void => send({ type: 'exit', code });
  process.on('uncaughtExceptionMonitor', onUncaught);
  process.on('exit', onExit);

  // process.stderr is made when it is first asked for; asking for it here would cost every restart its making.
  const original = Object.getOwnPropertyDescriptor(process, 'stderr');
  let restore = (): void => undefined;
  Object.defineProperty(process, 'stderr', {
    configurable: true,
    enumerable: true,
    get() {
      if (original !== undefined) Object.defineProperty(process, 'stderr', original);
      const stream = process.stderr;
      const write = stream.write;
      stream.write = function copied(this: NodeJS.WriteStream, ...args: unknown[]): boolean {
        send({ type: 'stderr', text: String(args[0]) });
        return Reflect.apply(write, this, args) as boolean;
      };
      const wrapped = stream.write;
      restore = () => {
        if (stream.write === wrapped) stream.write = write;
      };
      return stream;
    },
  });
  const stop = (): void => {
    pipe = undefined;
    process.off('uncaughtExceptionMonitor', onUncaught);
    process.off('exit', onExit);
    restore();
  };
  Reflect.set(globalThis, Symbol.for('ts-grace.preload'), { handoff, greeting, stop });
}

/** `NODE_OPTIONS` for a successor: the preload before what the program itself is run with. */
export function optionsWithCopy(options: string | undefined): string {
  const parameters = [HANDOFF, PREFIX, SUFFIX].map((text) => JSON.stringify(text)).join();
  const module = encodeURIComponent(`(${preload.toString()})(${parameters})`);
  return `${PREFIX}${module}${SUFFIX} ${options ?? ''}`.trimEnd();
}

/** The variable `GRACE_HANDOFF` as the preload found it. */
export function handoffOfPreload(): string | undefined {
  const found = findPreload();
  if (found === undefined) return undefined;
  Reflect.set(globalThis, PRELOAD, { ...found, handoff: undefined });
  return found.handoff;
}

/** The parent's greeting as the preload read it. */
export function greetingOfPreload(): string | undefined {
  return findPreload()?.greeting;
}

/** Ends the copying; stderr stays what it is. */
export function stopStderrCopy(): void {
  findPreload()?.stop();
  Reflect.deleteProperty(globalThis, PRELOAD);
}

function findPreload(): Preload | undefined {
  return Reflect.get(globalThis, PRELOAD) as Preload | undefined;
}
