import { constants } from 'node:os';
import { resolve } from 'node:path';
import { GraceError, show } from '../lib/errors.js';
import { layOut } from './sockets/descriptors.js';
import { type Port, parsePort } from './sockets/port.js';

/** The options of start_server, by Server::Starter's names. All times are in seconds, fractions allowed. */
export interface StartOptions {
  /** The server program and its arguments. */
  readonly exec: readonly string[];
  /** `port`, `host:port`, `[v6]:port`, each with `u` before the port for UDP and `=fd` behind it. */
  readonly port?: string | number | readonly (string | number)[] | undefined;
  /** Paths of unix sockets. */
  readonly path?: string | readonly string[] | undefined;
  /** Working directory of the program. */
  readonly dir?: string | undefined;
  /** A worker that says nothing is up when it has lived for so long; also between two tries. Default 1. */
  readonly interval?: number | undefined;
  /** Sent to old workers when a new one is up. Default TERM. */
  readonly signalOnHup?: string | undefined;
  /** Sent to the workers on SIGTERM. Default TERM. */
  readonly signalOnTerm?: string | undefined;
  readonly pidFile?: string | undefined;
  readonly statusFile?: string | undefined;
  /** A folder with a variable a file; also by the variable `ENVDIR`. */
  readonly envdir?: string | undefined;
  /** A file, or a command after `|`. */
  readonly logFile?: string | undefined;
  /** Restart by time; also by the variable `ENABLE_AUTO_RESTART`. */
  readonly enableAutoRestart?: boolean | undefined;
  /** Default 360; also by the variable `AUTO_RESTART_INTERVAL`. */
  readonly autoRestartInterval?: number | undefined;
  /** From a new worker's being up to the signal to the old ones. Default 0, with auto restart 5; also by `KILL_OLD_DELAY`. */
  readonly killOldDelay?: number | undefined;
  /** Length of the kernel's queue. Default: the most that it allows. */
  readonly backlog?: number | undefined;
  /** How many processes serve. Default 1. */
  readonly workers?: number | undefined;
  /** A worker has to say that it is ready within so long. Default: it need not. */
  readonly readyTimeout?: number | undefined;
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
  /** What the options put into the environment of the workers, as Server::Starter does. */
  readonly variables: NodeJS.ProcessEnv;
}

/** setTimeout() takes no more milliseconds. */
const MAX_SECONDS = 2_147_483;
/** listen(2) clamps it to net.core.somaxconn. */
const MAX_BACKLOG = 0x7fff_ffff;
const MAX_WORKERS = 1_024;

/** @throws GraceError `OPTION_INVALID` */
export function readStartOptions(options: StartOptions): Settings {
  const [program, ...args] = options.exec ?? [];
  if (program === undefined) throw new GraceError('OPTION_INVALID', 'server program not specified', { subject: 'exec' });
  const ports = asList(options.port).map(parsePort);
  const paths = asList(options.path);
  if (paths.includes('')) throw invalid('path', '', 'a path');
  // Throws on descriptors that collide, before anything is bound.
  layOut([...ports.map(({ label, fd }) => ({ label, name: '', target: fd })), ...paths.map((label) => ({ label, name: '', target: undefined }))]);
  return {
    exec: [program, ...args],
    ports,
    paths,
    directory: options.dir === undefined ? undefined : resolve(options.dir),
    interval: milliseconds('interval', options.interval) ?? 1_000,
    signalOnHup: readSignal('signal-on-hup', options.signalOnHup),
    signalOnTerm: readSignal('signal-on-term', options.signalOnTerm),
    pidFile: options.pidFile,
    statusFile: options.statusFile,
    logFile: options.logFile,
    backlog: whole('backlog', options.backlog, MAX_BACKLOG) ?? MAX_BACKLOG,
    workers: whole('workers', options.workers, MAX_WORKERS) ?? 1,
    readyTimeout: milliseconds('ready-timeout', options.readyTimeout),
    variables: variables(options),
  };
}

function variables({ envdir, enableAutoRestart, autoRestartInterval, killOldDelay }: StartOptions): NodeJS.ProcessEnv {
  milliseconds('auto-restart-interval', autoRestartInterval);
  milliseconds('kill-old-delay', killOldDelay);
  return {
    ...(envdir !== undefined && { ENVDIR: resolve(envdir) }),
    ...(enableAutoRestart === true && { ENABLE_AUTO_RESTART: '1' }),
    ...(autoRestartInterval !== undefined && { AUTO_RESTART_INTERVAL: String(autoRestartInterval) }),
    ...(killOldDelay !== undefined && { KILL_OLD_DELAY: String(killOldDelay) }),
  };
}

/** `TERM`, `SIGTERM` and `term` are alike. */
function readSignal(name: string, value = 'TERM'): NodeJS.Signals {
  const signal = `SIG${value.toUpperCase().replace(/^SIG/, '')}`;
  if (Object.hasOwn(constants.signals, signal)) return signal as NodeJS.Signals;
  throw invalid(name, value, 'the name of a signal');
}

function milliseconds(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (value >= 0 && value <= MAX_SECONDS)) return value && value * 1000;
  throw invalid(name, value, `seconds from 0 to ${MAX_SECONDS}`);
}

function whole(name: string, value: number | undefined, most: number): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)) return value;
  throw invalid(name, value, `a whole number from 1 to ${most}`);
}

function asList<T extends string | number>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function invalid(subject: string, value: unknown, expected: string): GraceError {
  return new GraceError('OPTION_INVALID', `--${subject} is ${show(value)}, expected ${expected}`, { subject, value });
}
