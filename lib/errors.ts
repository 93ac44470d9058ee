/**
 * What can go wrong. The set is closed: a new kind of failure gets a new code
 * here, so that a `switch` over the codes stays exhaustive.
 */
export type GraceErrorCode =
  /** An address that cannot be read, or that the platform cannot use. */
  | 'ADDRESS_INVALID'
  /** Another program listens there, or two servers asked for the same address. */
  | 'ADDRESS_IN_USE'
  /** The host name does not resolve, or this machine does not have that address. */
  | 'ADDRESS_NOT_AVAILABLE'
  /** This user is not allowed to bind: a privileged port, a folder that is not writable. */
  | 'ADDRESS_FORBIDDEN'
  /** At the path of a unix socket there is a file that is not a socket. */
  | 'NOT_A_SOCKET'
  /** A variable or a descriptor that was passed to this process is invalid. */
  | 'INHERITANCE_INVALID'
  /** `systemd:name` with a name that was not passed. */
  | 'SOCKET_NOT_PASSED'
  /** An option that is out of range or has the wrong type. */
  | 'OPTION_INVALID'
  /** A key or certificate that cannot be read, or a key and a certificate that do not belong together. */
  | 'CERTIFICATE_INVALID'
  /** A value that is not a server, or a server that was passed twice or is already listening. */
  | 'SERVER_INVALID'
  /** A call that is not possible in the state of the process. */
  | 'STATE_INVALID'
  /** The pid file could not be written. */
  | 'PID_FILE'
  /** The successor exited, or was not ready in time. This process keeps serving. */
  | 'RESTART_FAILED'
  /** The successor failed on probation. This process serves again. */
  | 'RESTART_REVERTED'
  /** This process cannot restart by handing over: because of the platform, or of the way it is run. */
  | 'RESTART_UNSUPPORTED'
  /** A request of the option `warmup` failed, or its function did; with `required`, the process then does not serve. */
  | 'WARMUP_FAILED'
  /** start_server: the server program, or one that start_server needs itself, does not exist or is not executable. */
  | 'PROGRAM_INVALID'
  /** start_server: a log or status file that cannot be written or read. */
  | 'FILE_INVALID'
  /** start_server: another one that is running has the pid file. */
  | 'ALREADY_RUNNING'
  /** start_server: no running process has the pid file, or the process does not exit. */
  | 'NOT_RUNNING'
  /** This version of Node.js cannot do what is needed. */
  | 'RUNTIME_UNSUPPORTED';

/** The facts of an error, so that a program need not parse the message. */
export interface GraceErrorFacts {
  /** The variable, option, flag or argument at fault, for example `LISTEN_FDS`. */
  readonly subject?: string;
  /** The value it had. */
  readonly value?: unknown;
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** `RESTART_FAILED`: pid of the successor, if it was started. */
  readonly pid?: number | undefined;
  /** `RESTART_FAILED`: the successor's exit code; null if a signal ended it, undefined if it is not known. */
  readonly exitCode?: number | null | undefined;
  /** `RESTART_FAILED`: the signal that ended the successor. */
  readonly signal?: NodeJS.Signals | null | undefined;
  /** `RESTART_FAILED`: the last lines that the successor wrote to its stderr. */
  readonly stderr?: string | undefined;
  /** `RESTART_REVERTED`: connections that had moved to the successor, and may have ended with it. */
  readonly lost?: number | undefined;
}

const BRAND = Symbol.for('ts-grace.error');

/**
 * The only error class of this package. The message says what was tried, what
 * was expected and what was found; the properties have the same facts.
 *
 * @example
 * import { GraceError, parseAddress } from 'ts-grace';
 *
 * try {
 *   parseAddress('localhost:http');
 * } catch (error) {
 *   if (error instanceof GraceError) console.log(error.code, error.value); // ADDRESS_INVALID localhost:http
 * }
 */
export class GraceError extends Error implements GraceErrorFacts {
  /** Always `GraceError`. */
  override readonly name = 'GraceError';
  /** What went wrong: docs/errors.md has the cause and the remedy of each code. */
  readonly code: GraceErrorCode;
  declare readonly subject?: string;
  declare readonly value?: unknown;
  declare readonly pid?: number;
  declare readonly exitCode?: number | null;
  declare readonly signal?: NodeJS.Signals | null;
  declare readonly stderr?: string;
  declare readonly lost?: number;

  /** Also true for an error of another copy of this class, as `ts-grace/starter` is bundled apart from the rest. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && BRAND in value;
  }

  constructor(code: GraceErrorCode, message: string, facts: GraceErrorFacts = {}) {
    const { cause, ...rest } = facts;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
    Object.assign(this, rest);
    // Node.js prints all properties of an uncaught error, and an app of a framework fills a hundred lines.
    if (typeof rest.value === 'object' || typeof rest.value === 'function') {
      Object.defineProperty(this, 'value', { enumerable: false });
    }
  }
}

/** The `code` of a system error (`EADDRINUSE`, …), or undefined. */
export function errnoCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** The message of an error, or the text of any other value that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Not String(), which throws for an object without a prototype and prints all lines of a function. */
function describe(value: unknown): string {
  const { inspect } = process.getBuiltinModule('node:util');
  return inspect(value, { depth: 1, breakLength: Infinity, compact: true }).replace(/\s+/g, ' ');
}

/** A value for an error message: short, on one line, in quotes if it is text. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : describe(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
