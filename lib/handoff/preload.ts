import { HANDOFF } from './handoff-variable.js';

/**
 * Runs in a successor before its program does: it takes `GRACE_HANDOFF` out of
 * the environment, reads the predecessor's greeting, copies stderr into the
 * handoff pipe and reports the exit code, until the program is ready. It ends a
 * program that does not become ready and has no predecessor any more.
 *
 * A failed restart has to say why, so the predecessor needs what the successor
 * writes to stderr while it starts. That stream cannot go through the
 * predecessor, which exits later, and Node.js cannot redirect descriptor 2
 * afterwards. So the successor has the real stderr from the start, and the
 * preload sends a copy.
 *
 * It is given to Node.js by `--import` as a data: URL. Worker threads load it
 * again, when the files of the release that it came from may be gone.
 */

/** What the preload leaves for the library in the process state, see ProcessState. */
export interface Preload {
  /** The predecessor's first line, which is in the pipe before this process is started. */
  readonly greeting: string;
  /** Ends the copying of stderr and the report of the exit code; stderr itself stays as it is. */
  stop(): void;
}

/** Key of the global symbol under which the preload and the library keep the process state. */
export const PROCESS_STATE = 'ts-grace.process';

const PREFIX = '--import "data:text/javascript,';
const SUFFIX = '"';
/** How often a successor that is late looks whether its predecessor is still there. */
const LOOK_EVERY_MS = 500;

/** `NODE_OPTIONS` for a successor: the preload, and after it the options that the program itself is run with. */
export function optionsWithPreload(options: string | undefined): string {
  const parameters = [HANDOFF, PROCESS_STATE, PREFIX, SUFFIX, LOOK_EVERY_MS].map((value) => JSON.stringify(value)).join();
  const module = encodeURIComponent(`(${preload.toString()})(${parameters})`);
  return `${PREFIX}${module}${SUFFIX} ${options ?? ''}`.trimEnd();
}

/** Its text is run in another process, so it may use nothing but its parameters and globals. */
function preload(variable: string, stateKey: string, prefix: string, suffix: string, lookEvery: number): void {
  const { readSync, writeSync } = process.getBuiltinModule('node:fs');
  const { inspect } = process.getBuiltinModule('node:util');
  let pipe: number | undefined;
  let timeout: number | undefined;
  let broken = false;

  const takeHandoff = (): string | undefined => {
    const text = process.env[variable];
    if (text === undefined) return undefined;
    delete process.env[variable];
    const options = process.env['NODE_OPTIONS'] ?? '';
    const rest = options.slice(options.indexOf(suffix, prefix.length) + suffix.length).trimStart();
    if (rest === '') delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = rest;
    ({ pipe, timeout } = JSON.parse(text) as { pipe: number | undefined; timeout: number | undefined });
    return text;
  };

  const send = (message: object): void => {
    try {
      if (pipe !== undefined && !broken) writeSync(pipe, `${JSON.stringify(message)}\n`);
    } catch {
      // The predecessor is gone. Its greeting may be in the pipe all the same.
      broken = true;
    }
  };

  /** ECONNRESET, if the predecessor died with something unread, is an end too. */
  const readOrEnd = (fd: number, into: Buffer): number => {
    try {
      return readSync(fd, into);
    } catch {
      return 0;
    }
  };

  const readGreeting = (): string => {
    const pieces: Buffer[] = [];
    while (pipe !== undefined && pieces.at(-1)?.includes('\n') !== true) {
      const piece = Buffer.alloc(65_536);
      const length = readOrEnd(pipe, piece);
      if (length === 0) break;
      pieces.push(piece.subarray(0, length));
    }
    return Buffer.concat(pieces).toString().trimEnd();
  };

  const reportEnd = (): (() => void) => {
    const onUncaught = (error: unknown): void => send({ type: 'stderr', text: `${inspect(error)}\n` });
    const onExit = (code: number): void => send({ type: 'exit', code });
    process.on('uncaughtExceptionMonitor', onUncaught);
    process.on('exit', onExit);
    return () => process.off('uncaughtExceptionMonitor', onUncaught).off('exit', onExit);
  };

  /**
   * The predecessor stops a successor that is not ready in time. If it is gone, the
   * successor has to end itself, or it would hold the sockets for ever. A write
   * into the pipe shows whether anybody has the other end.
   */
  const endIfAlone = (): (() => void) => {
    if (timeout === undefined) return () => undefined;
    const look = (): void => {
      send({ type: 'stderr', text: '' });
      if (broken) {
        process.stderr.write(`not ready within ${timeout} ms, and the previous process is gone: exiting\n`);
        process.exit(1);
      }
      timer = setTimeout(look, lookEvery).unref();
    };
    let timer = setTimeout(look, timeout).unref();
    return () => clearTimeout(timer);
  };

  // Node.js creates process.stderr at the first access, so it is not accessed here: every restart would pay for it.
  const copyStderr = (): (() => void) => {
    const original = Object.getOwnPropertyDescriptor(process, 'stderr');
    let restore = (): void => undefined;
    Object.defineProperty(process, 'stderr', {
      configurable: true,
      enumerable: true,
      get() {
        if (original !== undefined) Object.defineProperty(process, 'stderr', original);
        const stream = process.stderr;
        const write = stream.write;
        const copying = function copied(this: NodeJS.WriteStream, ...args: unknown[]): boolean {
          send({ type: 'stderr', text: String(args[0]) });
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
  };

  const handoff = takeHandoff();
  // A worker thread of the successor, or a program that it started.
  if (handoff === undefined) return;
  send({ type: 'started', pid: process.pid });
  const greeting = readGreeting();
  const stopReporting = reportEnd();
  const stopCopying = copyStderr();
  const stopTimer = endIfAlone();
  const stop = (): void => {
    pipe = undefined;
    stopReporting();
    stopCopying();
    stopTimer();
  };
  Reflect.set(globalThis, Symbol.for(stateKey), { preload: { greeting, stop }, variables: { [variable]: handoff } });
}
