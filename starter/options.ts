import { constants } from 'node:os';
import { resolve } from 'node:path';
import { GraceError, show } from '../lib/errors.js';
import { assignDescriptors } from './sockets/descriptors.js';
import { type Port, parsePort } from './sockets/port.js';
import { usableProcessors } from './usable-processors.js';

/** The options of start_server, named as in Server::Starter. All times are in seconds and may have fractions. */
export interface StartOptions {
  /** The server program and its arguments. */
  readonly exec: readonly string[];
  /** `port`, `host:port` or `[v6]:port`, with `u` before the port for UDP and `=fd` after it for the descriptor in the workers. Default: none. */
  readonly port?: string | number | readonly (string | number)[] | undefined;
  /** Paths of unix sockets. Default: none. */
  readonly path?: string | readonly string[] | undefined;
  /** Working directory of the program. Default: that of this process. */
  readonly dir?: string | undefined;
  /**
   * A worker that does not say when it is ready counts as up after this time. One that does has to live for this
   * time before the old one is told to exit. Also the first delay after a failed start. Default 1.
   */
  readonly interval?: number | undefined;
  /** The signal to old workers when a new one is up, as a name or number. Default TERM. */
  readonly signalOnHup?: string | undefined;
  /** The signal to the workers when start_server gets SIGTERM. Default TERM. */
  readonly signalOnTerm?: string | undefined;
  /** A file with the pid of start_server, for {@link restartServer}, {@link stopServer} and {@link serverStatus}. Default: none. */
  readonly pidFile?: string | undefined;
  /** A file with the generation and pid of each worker; its twin with `.json` has more. Default: none. */
  readonly statusFile?: string | undefined;
  /** A folder with one file for each environment variable. Default: the variable `ENVDIR`. */
  readonly envdir?: string | undefined;
  /** A file, or `|` and a command. Default: stdout and stderr of this process. */
  readonly logFile?: string | undefined;
  /** Restart at each `autoRestartInterval`. Default: the variable `ENABLE_AUTO_RESTART`. */
  readonly enableAutoRestart?: boolean | undefined;
  /** Default: the variable `AUTO_RESTART_INTERVAL`, or 360. */
  readonly autoRestartInterval?: number | undefined;
  /** How long after a new worker is up the old ones get the signal. Default: the variable `KILL_OLD_DELAY`, or 5 with auto restart, or 0. */
  readonly killOldDelay?: number | undefined;
  /** How many connections the kernel queues. Default, and with 0: its maximum. */
  readonly backlog?: number | undefined;
  /** How many worker processes run; `auto`: one for each processor that this process may use. Default 1. */
  readonly workers?: number | 'auto' | undefined;
  /** A worker must say that it is ready within this time, or it has failed. Default: it need not. */
  readonly readyTimeout?: number | undefined;
  /** How long a worker that uses `ts-grace`, and so says when it is ready, may take. Default 60; 0: no limit. */
  readonly startTimeout?: number | undefined;
  /** A worker that was told to exit gets SIGKILL after this time. Default: never. */
  readonly killTimeout?: number | undefined;
  /** Set `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES` for the workers, as systemd does. Default false. */
  readonly listenFds?: boolean | undefined;
  /** Leave O_NONBLOCK set on the sockets, for a program whose event loop expects it, as nginx does. Default false: accept(2) waits. */
  readonly nonBlocking?: boolean | undefined;
}

/** {@link StartOptions}, checked; times in milliseconds. */
export interface Settings {
  readonly exec: readonly [string, ...string[]];
  readonly ports: readonly Port[];
  readonly paths: readonly string[];
  readonly directory: string | undefined;
  readonly interval: number;
  readonly signalOnHup: NodeJS.Signals;
  readonly signalOnTerm: NodeJS.Signals;
  readonly pidFile: string | undefined;
  readonly statusFile: string | undefined;
  readonly logFile: string | undefined;
  readonly backlog: number;
  readonly workers: number;
  readonly readyTimeout: number | undefined;
  /** 0: no limit. */
  readonly startTimeout: number;
  readonly killTimeout: number | undefined;
  readonly listenFds: boolean;
  readonly nonBlocking: boolean;
  /** The variables that options set for the workers, as in Server::Starter. */
  readonly variables: NodeJS.ProcessEnv;
}

/** setTimeout() takes at most 2^31 - 1 milliseconds. */
const MAX_SECONDS = 2_147_483;
/** listen(2) reduces it to net.core.somaxconn. */
const MAX_BACKLOG = 0x7fff_ffff;
const MAX_WORKERS = 1_024;
const DEFAULT_INTERVAL_MS = 1_000;
const DEFAULT_START_TIMEOUT_MS = 60_000;

/** @throws GraceError `OPTION_INVALID` */
export function readStartOptions(options: StartOptions): Settings {
  if (typeof options !== 'object' || options === null) throw invalid('options', options, 'an object');
  const [program, ...args] = texts('exec', options.exec);
  if (program === undefined) throw new GraceError('OPTION_INVALID', 'server program not specified', { subject: 'exec' });
  const ports = asList(options.port).map(parsePort);
  const paths = texts('path', options.path);
  if (paths.includes('')) throw invalid('path', '', 'a path');
  // Throws if two sockets ask for the same descriptor, before anything is bound.
  assignDescriptors([
    ...ports.map(({ label, fd }) => ({ label, name: '', target: fd })),
    ...paths.map((label) => ({ label, name: '', target: undefined })),
  ]);
  return {
    exec: [program, ...args],
    ports,
    paths,
    directory: resolved('dir', options.dir),
    interval: milliseconds('interval', options.interval) ?? DEFAULT_INTERVAL_MS,
    signalOnHup: readSignal('signal-on-hup', options.signalOnHup),
    signalOnTerm: readSignal('signal-on-term', options.signalOnTerm),
    pidFile: text('pid-file', options.pidFile),
    statusFile: text('status-file', options.statusFile),
    logFile: text('log-file', options.logFile),
    backlog: wholeNumber('backlog', options.backlog || undefined, MAX_BACKLOG) ?? MAX_BACKLOG,
    workers: options.workers === 'auto' ? usableProcessors() : (wholeNumber('workers', options.workers, MAX_WORKERS) ?? 1),
    readyTimeout: milliseconds('ready-timeout', options.readyTimeout),
    startTimeout: milliseconds('start-timeout', options.startTimeout) ?? DEFAULT_START_TIMEOUT_MS,
    killTimeout: milliseconds('kill-timeout', options.killTimeout),
    listenFds: options.listenFds === true,
    nonBlocking: options.nonBlocking === true,
    variables: variables(options),
  };
}

function variables({ envdir, enableAutoRestart, autoRestartInterval, killOldDelay }: StartOptions): NodeJS.ProcessEnv {
  milliseconds('auto-restart-interval', autoRestartInterval);
  milliseconds('kill-old-delay', killOldDelay);
  return {
    ...(envdir !== undefined && { ENVDIR: resolved('envdir', envdir) }),
    ...(enableAutoRestart === true && { ENABLE_AUTO_RESTART: '1' }),
    ...(autoRestartInterval !== undefined && { AUTO_RESTART_INTERVAL: String(autoRestartInterval) }),
    ...(killOldDelay !== undefined && { KILL_OLD_DELAY: String(killOldDelay) }),
  };
}

/** `TERM`, `SIGTERM`, `term` and `15` mean the same. */
function readSignal(name: string, value: unknown = 'TERM'): NodeJS.Signals {
  if (typeof value !== 'string') throw invalid(name, value, 'the name or number of a signal');
  const numbered = Object.entries(constants.signals).find(([, number]) => String(number) === value);
  if (numbered !== undefined) return numbered[0] as NodeJS.Signals;
  const signal = `SIG${value.toUpperCase().replace(/^SIG/, '')}`;
  if (Object.hasOwn(constants.signals, signal)) return signal as NodeJS.Signals;
  throw invalid(name, value, 'the name or number of a signal');
}

function milliseconds(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (typeof value === 'number' && value >= 0 && value <= MAX_SECONDS)) return value && value * 1000;
  throw invalid(name, value, `a number of seconds from 0 to ${MAX_SECONDS}`);
}

function wholeNumber(name: string, value: number | undefined, max: number): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= max)) return value;
  throw invalid(name, value, `a whole number from 1 to ${max}`);
}

function text(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(name, value, 'text');
}

function texts(name: string, value: string | readonly string[] | undefined): readonly string[] {
  const list = asList(value);
  list.forEach((each) => text(name, each));
  return list;
}

function resolved(name: string, value: unknown): string | undefined {
  const path = text(name, value);
  return path === undefined ? undefined : resolve(path);
}

function asList<T extends string | number>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  // A hole in the list is undefined.
  return Array.isArray(value) ? Array.from(value as readonly T[]) : [value as T];
}

function invalid(subject: string, value: unknown, expected: string): GraceError {
  return new GraceError('OPTION_INVALID', `--${subject} is ${show(value)}, expected ${expected}`, { subject, value });
}
