/* What the preload and the library have to agree on: the preload is bundled apart, and runs in the successor before its program. */

/** Our own variable: what a process hands to its successor. See docs/protocol.md. */
export const HANDOFF = 'GRACE_HANDOFF';

/** Key of the global symbol under which the preload and the library keep the process state. */
export const PROCESS_STATE = 'ts-grace.process';

/**
 * The channel by which the predecessor's connections come. The preload keeps it
 * from the program, which is why Node.js does not open it at the start.
 */
export interface Channel {
  /** Has to be called before anything can come. It takes some milliseconds. Absent in an older preload, which has it open. */
  open?(): void;
  /**
   * @param handle - whose descriptor goes along; this process keeps its own.
   * @param onSent - an error means that the other process is gone, which is noticed in another way too.
   */
  send(message: object, handle?: object, onSent?: (error: Error | null) => void): void;
  /** Called when the predecessor has closed it or has died. */
  onEnd: () => void;
  ended: boolean;
}

/** What the preload leaves for the library in the process state, see ProcessState. */
export interface Preload {
  /** The predecessor's first line, which is in the pipe before this process is started; empty if the predecessor died before. */
  readonly greeting: string;
  /** Ends the copying of stderr and the report of the exit code; stderr itself stays as it is. */
  stop(): void;
  /**
   * This process is ready: it need not end itself any more, and what is reported
   * goes through `write`, a line at a time. The library may be older or newer than
   * the preload, which comes from the predecessor.
   */
  goOn?(write: (line: string) => void): void;
}

/** A program with what V8 has made of it, which a successor need not make again: see docs/architecture.md. */
export interface CompiledProgram {
  /** Descriptor of the file that the predecessor has left; undefined from the moment it is read. */
  received?: number;
  /** The content of that file, if V8 could use it. */
  used?: Uint8Array;
  /** Makes such a content, with all that has run so far. */
  make?(): Uint8Array;
  /** Descriptor of the file for a successor. */
  file?: number;
}

const PREFIX = '--import "data:text/javascript,';
const SUFFIX = '"';
/** What has a meaning in a data: URL or in `NODE_OPTIONS`. Node.js takes long to decode, so nothing else is escaped. */
const ESCAPED = /[%#?"\\]|[^!-~]+/g;

/** `NODE_OPTIONS` that loads a module before anything that the options load. */
export function withPreload(module: string, options: string | undefined): string {
  return `${PREFIX}${module.replace(ESCAPED, encodeURIComponent)}${SUFFIX} ${options ?? ''}`.trimEnd();
}

/** `NODE_OPTIONS` as they were before {@link withPreload}; undefined if there were none. */
export function withoutPreload(options: string | undefined): string | undefined {
  if (options?.startsWith(PREFIX) !== true) return options;
  const rest = options.slice(options.indexOf(SUFFIX, PREFIX.length) + SUFFIX.length).trimStart();
  return rest === '' ? undefined : rest;
}
