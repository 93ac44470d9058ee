import { HANDOFF } from './handoff-variable.js';

/**
 * Runs in a successor before its program does: it takes `GRACE_HANDOFF` out of
 * the environment, reads the predecessor's greeting, copies stderr into the
 * handoff pipe and reports the exit code, until the program is ready.
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

/** `NODE_OPTIONS` for a successor: the preload, and after it the options that the program itself is run with. */
export function optionsWithPreload(options: string | undefined): string {
  const parameters = [HANDOFF, PROCESS_STATE, PREFIX, SUFFIX].map((text) => JSON.stringify(text)).join();
  const module = encodeURIComponent(`(${preload.toString()})(${parameters})`);
  return `${PREFIX}${module}${SUFFIX} ${options ?? ''}`.trimEnd();
}

/** Its text is run in another process, so it may use nothing but its parameters and globals. */
function preload(variable: string, stateKey: string, prefix: string, suffix: string): void {
  const { readSync, writeSync } = process.getBuiltinModule('node:fs');
  const { inspect } = process.getBuiltinModule('node:util');
  let pipe: number | undefined;

  const takeHandoff = (): string | undefined => {
    const text = process.env[variable];
    if (text === undefined) return undefined;
    delete process.env[variable];
    const options = process.env['NODE_OPTIONS'] ?? '';
    const rest = options.slice(options.indexOf(suffix, prefix.length) + suffix.length).trimStart();
    if (rest === '') delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = rest;
    ({ pipe } = JSON.parse(text) as { pipe: number | undefined });
    return text;
  };

  const send = (message: object): void => {
    try {
      if (pipe !== undefined) writeSync(pipe, `${JSON.stringify(message)}\n`);
    } catch {
      pipe = undefined;
    }
  };

  const readGreeting = (): string => {
    const pieces: Buffer[] = [];
    while (pipe !== undefined && pieces.at(-1)?.includes('\n') !== true) {
      const piece = Buffer.alloc(65_536);
      const length = readSync(pipe, piece);
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
  const stop = (): void => {
    pipe = undefined;
    stopReporting();
    stopCopying();
  };
  Reflect.set(globalThis, Symbol.for(stateKey), { preload: { greeting, stop }, variables: { [variable]: handoff } });
}
