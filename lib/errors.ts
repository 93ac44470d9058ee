/**
 * What can go wrong, by kind. The set is closed: a new kind of failure is a
 * new code here, so that a `switch` over it stays exhaustive.
 */
export type GraceErrorCode =
  /** An address that does not parse, or that the platform cannot use. */
  | 'ADDRESS_INVALID'
  /** Someone else listens there, or two servers of one call asked for it. */
  | 'ADDRESS_IN_USE'
  /** The host does not resolve, or is not one of this machine's. */
  | 'ADDRESS_NOT_AVAILABLE'
  /** The kernel refuses to bind: a privileged port, a folder that is not writable. */
  | 'ADDRESS_FORBIDDEN'
  /** The path of a unix socket is taken by a file that is no socket. */
  | 'NOT_A_SOCKET'
  /** A variable or a descriptor that was passed to this process is not what it should be. */
  | 'INHERITANCE_INVALID'
  /** `systemd:name` with a name that was not passed. */
  | 'SOCKET_NOT_PASSED'
  /** An option out of its range or of a wrong type. */
  | 'OPTION_INVALID'
  /** A key or certificate that cannot be read or parsed, or that do not belong together. */
  | 'CERTIFICATE_INVALID'
  /** What was passed is no server, was passed twice, or listens already. */
  | 'SERVER_INVALID'
  /** A call that does not fit the state the process is in. */
  | 'STATE_INVALID'
  /** The pid file could not be written. */
  | 'PID_FILE'
  /** The successor exited, or was not ready in time; the old process serves on. */
  | 'RESTART_FAILED'
  /** This platform, or this way of running, cannot hand sockets over. */
  | 'RESTART_UNSUPPORTED'
  /** start_server: the server program is not there or not executable. */
  | 'PROGRAM_INVALID'
  /** start_server: a log or status file that cannot be written or read. */
  | 'FILE_INVALID'
  /** start_server: the pid file is that of a running one. */
  | 'ALREADY_RUNNING'
  /** start_server: the pid file is nobody's, or the process does not go. */
  | 'NOT_RUNNING'
  /** A Node.js version without a way to do what is needed. */
  | 'RUNTIME_UNSUPPORTED';

/** The independent facts of an error, so that nobody has to parse its message. */
export interface GraceErrorFacts {
  /** The variable, option, flag or argument at fault, for example `LISTEN_FDS`. */
  readonly subject?: string;
  /** The value it had. */
  readonly value?: unknown;
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** `RESTART_FAILED`: pid of the successor, where it came to life. */
  readonly pid?: number | undefined;
  /** `RESTART_FAILED`: the successor's exit code; null where a signal ended it. */
  readonly exitCode?: number | null | undefined;
  /** `RESTART_FAILED`: the signal that ended the successor. */
  readonly signal?: NodeJS.Signals | null | undefined;
  /** `RESTART_FAILED`: the last lines that the successor wrote to its stderr. */
  readonly stderr?: string | undefined;
}

const BRAND = Symbol.for('ts-grace.error');

/**
 * The one error class of this package. The message says what was tried, what
 * was expected and what was there; the properties carry the same as facts.
 *
 * @example
 * app.on('restart-failed', (error) => {
 *   if (error.code === 'RESTART_FAILED') console.error(error.exitCode, error.stderr);
 * });
 */
export class GraceError extends Error implements GraceErrorFacts {
  override readonly name = 'GraceError';
  readonly code: GraceErrorCode;
  declare readonly subject?: string;
  declare readonly value?: unknown;
  declare readonly pid?: number;
  declare readonly exitCode?: number | null;
  declare readonly signal?: NodeJS.Signals | null;
  declare readonly stderr?: string;

  /** True also for an error of another copy of this class: `ts-grace/starter` is bundled apart from the rest. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && BRAND in value;
  }

  constructor(code: GraceErrorCode, message: string, facts: GraceErrorFacts = {}) {
    const { cause, ...rest } = facts;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
    Object.assign(this, rest);
  }
}

/** The `code` of a system error (`EADDRINUSE`, …), or undefined. */
export function errnoCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** What an error says, or the text of whatever else was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** String() throws for an object without a prototype, and a function's text has many lines. */
function describe(value: unknown): string {
  const { inspect } = process.getBuiltinModule('node:util');
  return inspect(value, { depth: 1, breakLength: Infinity, compact: true }).replace(/\s+/g, ' ');
}

/** A value as an error message shows it: short, on one line, quoted where it is text. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : describe(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
