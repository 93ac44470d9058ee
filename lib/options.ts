import { type Environment, environment } from './check/environment.js';
import { refuseUnknown } from './check/names.js';
import { invalid, milliseconds, wholeNumber } from './check/numbers.js';
import { GraceError, show } from './errors.js';
import { type RecycleOptions, type RecycleSettings, readRecycle } from './lifetime/lifetime-options.js';
import { type ProbationOptions, type ProbationSettings, readProbation } from './probation/probation-options.js';

export type { Environment };

/** What each signal does. An empty list turns it off. */
export interface SignalOptions {
  /** Drain and exit. Default `SIGTERM` and `SIGINT`. */
  readonly stop?: readonly NodeJS.Signals[];
  /** Start a successor and hand over to it. Default `SIGUSR2`. */
  readonly restart?: readonly NodeJS.Signals[];
  /** Read the certificates again. Default `SIGHUP`; not handled if no certificate comes from a file. */
  readonly reload?: readonly NodeJS.Signals[];
  /** Take the last restart back, while the new process is on probation. Default: none; SIGWINCH is a usual choice. */
  readonly revert?: readonly NodeJS.Signals[];
}

/** All times are in milliseconds. */
export interface GraceOptions {
  /**
   * Total time from the stop signal to exit, including `drainDelay` and
   * `onShutdown`, which has at least one second. Connections that are left then are destroyed, and the requests
   * that this cuts off are counted. Default 30 000.
   */
  readonly drainTimeout?: number;
  /**
   * How long a draining process keeps a connection that has no request in flight.
   * Default 5 000. An HTTP connection that has had a response is kept for at least
   * the server's `keepAliveTimeout` and one second, within `drainTimeout`.
   */
  readonly idleTimeout?: number;
  /**
   * After SIGTERM, keep accepting this long while `/readyz` answers 503, so that
   * load balancers stop sending new requests. Not used in a restart. Default 0.
   */
  readonly drainDelay?: number;
  /** A successor that is not ready after this time is stopped, and the restart has failed. Default 60 000. */
  readonly restartTimeout?: number;
  /** Path of a file with the pid of the process that serves. Each generation replaces it, the last one removes it. Default: none. */
  readonly pidFile?: string;
  /** What each signal does. Default: see {@link SignalOptions}. `false`: handle no signals. */
  readonly signals?: SignalOptions | false;
  /** Whether to exit when drained: with code 0, or 1 if requests were cut off or `onShutdown` failed. Default true. */
  readonly exit?: boolean;
  /**
   * Keeps the first process after a restart, for a program that watches its pid:
   * systemd with `Type=simple`, PM2, nodemon, npm, a shell, a terminal, a container.
   * It passes SIGTERM, SIGINT, SIGUSR2 and SIGHUP on to the generation that serves,
   * and exits with the code of the last one. `true` is not possible with
   * `exit: false`. Default `'auto'`: it stays, unless systemd is told the new main
   * process (`NOTIFY_SOCKET`), `pidFile` names the process to watch, or `exit` is
   * false. As PID 1 it always stays.
   */
  readonly follow?: boolean | 'auto';
  /**
   * Whether a second signal to stop, more than a second after the first, exits at
   * once and cuts off what is in flight. A signal that the program sends to itself
   * never counts as the second one. Default true.
   */
  readonly forceExit?: boolean;
  /**
   * Gets each message for the operator: restarts, failed restarts, drains, what was
   * cut off, and warnings. `false`: no messages. Default: each one is a line on stderr.
   */
  readonly log?: ((message: string) => void) | false;
  /**
   * Whether a restart passes open connections on to the successor, so that their
   * clients notice nothing: HTTP/1.1 without TLS. `false` for programs that keep
   * state for a connection, which stays behind. It has to be true in both processes. Default true.
   */
  readonly moveConnections?: boolean;
  /**
   * How long the old process stands by after a restart: it keeps the listening
   * sockets, and serves again if the new one ends, hangs, or says that it is broken.
   * 0: not at all. Default 5 000. See {@link ProbationOptions} for more than the time.
   */
  readonly probation?: number | ProbationOptions;
  /**
   * How long both processes accept after a restart. Clients whose connections cannot
   * move leave the old one in this time, spread evenly, and not all at once. Default 0.
   */
  readonly handoverTime?: number;
  /** How many old generations may drain at a time. With more, the oldest ends within 10 s; each further restart halves that. Default 3. */
  readonly maxDraining?: number;
  /** Restarts the process by itself, before what it has gathered becomes a problem. Default: never. */
  readonly recycle?: RecycleOptions;
  /**
   * Ends the process when it has had no connection for this time, if all of its sockets
   * come from systemd, which starts it again for the next connection. Default 0: never.
   */
  readonly exitWhenIdle?: number;
  /**
   * Variables for the successor, or a function that is called at each restart and
   * returns them; it may be async. They are added to the environment that this
   * process was started with; what the program has changed in `process.env` since
   * has no effect. undefined removes a variable. Default: none.
   *
   * @example
   * env: () => ({ RELEASE: readFileSync('release.txt', 'utf8') })
   */
  readonly env?: Environment | (() => Environment | Promise<Environment>);
  /**
   * How to start a successor, if the command line of this process cannot be
   * repeated: a program, by path or as found in `PATH`, and its arguments. It has to
   * be the server itself, or to become it by exec: only the first process gets
   * the sockets. Runs in the directory in which this process was started. Default:
   * the same command line.
   *
   * @example
   * command: ['sh', '-c', 'exec node build/server.js']
   */
  readonly command?: readonly string[];
  /** Runs before a successor is started. If it throws or takes longer than `drainTimeout`, the restart has failed. Default: none. */
  readonly beforeRestart?: () => unknown;
  /**
   * Runs when the last connection is closed, for example to close the database. It
   * has until `drainTimeout`, and at least one second if the connections took that long.
   * Default: none.
   */
  readonly onShutdown?: () => unknown;
}

/** {@link GraceOptions} with every default filled in. */
export interface Settings {
  readonly drainTimeout: number;
  readonly idleTimeout: number;
  readonly drainDelay: number;
  readonly restartTimeout: number;
  readonly pidFile: string | undefined;
  readonly signals: Required<SignalOptions>;
  readonly exit: boolean;
  readonly follow: boolean | 'auto';
  readonly forceExit: boolean;
  readonly moveConnections: boolean;
  readonly probation: ProbationSettings;
  readonly handoverTime: number;
  readonly maxDraining: number;
  readonly recycle: RecycleSettings | undefined;
  readonly exitWhenIdle: number;
  /** Undefined: stderr. */
  readonly log: ((message: string) => void) | undefined;
  readonly env: () => Environment | Promise<Environment>;
  readonly command: readonly string[] | undefined;
  readonly beforeRestart: () => unknown;
  readonly onShutdown: () => unknown;
}

const DEFAULT_SIGNALS: Required<SignalOptions> = {
  stop: ['SIGTERM', 'SIGINT'],
  restart: ['SIGUSR2'],
  reload: ['SIGHUP'],
  revert: [],
};
const DEFAULT_MAX_DRAINING = 3;
const NOTHING = (): void => undefined;

/** @throws GraceError `OPTION_INVALID` that names the option and its value. */
export function readOptions(options: GraceOptions): Settings {
  if (typeof options !== 'object' || options === null) throw invalid('options', options, 'an object');
  const settings: Settings = {
    drainTimeout: milliseconds('drainTimeout', options.drainTimeout, 30_000),
    idleTimeout: milliseconds('idleTimeout', options.idleTimeout, 5_000),
    drainDelay: milliseconds('drainDelay', options.drainDelay, 0),
    restartTimeout: milliseconds('restartTimeout', options.restartTimeout, 60_000),
    pidFile: ofType('pidFile', options.pidFile, 'string'),
    signals: readSignals(options.signals),
    exit: ofType('exit', options.exit, 'boolean') ?? true,
    follow: readFollow(options.follow),
    forceExit: ofType('forceExit', options.forceExit, 'boolean') ?? true,
    moveConnections: ofType('moveConnections', options.moveConnections, 'boolean') ?? true,
    probation: readProbation(options.probation),
    handoverTime: milliseconds('handoverTime', options.handoverTime, 0),
    maxDraining: wholeNumber('maxDraining', options.maxDraining, 1, Number.MAX_SAFE_INTEGER) ?? DEFAULT_MAX_DRAINING,
    recycle: readRecycle(options.recycle),
    exitWhenIdle: milliseconds('exitWhenIdle', options.exitWhenIdle, 0),
    log: readLog(options.log),
    env: readEnv(options.env),
    command: readCommand(options.command),
    beforeRestart: ofType('beforeRestart', options.beforeRestart, 'function') ?? NOTHING,
    onShutdown: ofType('onShutdown', options.onShutdown, 'function') ?? NOTHING,
  } satisfies Record<keyof GraceOptions, unknown>;
  refuseUnknown({ options, where: 'new Grace()', names: Object.keys(settings) });
  for (const name of ['drainDelay', 'handoverTime'] as const) {
    if (settings[name] > 0 && settings[name] >= settings.drainTimeout) {
      throw invalid(name, settings[name], `less than drainTimeout (${settings.drainTimeout})`);
    }
  }
  if (settings.follow === true && !settings.exit) throw invalid('follow', true, 'false, because exit is false');
  return settings;
}

/** The names of all options: the settings that are read have the same ones. */
export function optionNames(): readonly string[] {
  return Object.keys(readOptions({}));
}

function readLog(value: GraceOptions['log']): Settings['log'] {
  if (value === false) return NOTHING;
  if (value === undefined || typeof value === 'function') return value;
  throw invalid('log', value, 'a function or false');
}

function readFollow(value: boolean | 'auto' | undefined): boolean | 'auto' {
  if (value === undefined || value === 'auto' || typeof value === 'boolean') return value ?? 'auto';
  throw invalid('follow', value, "true, false or 'auto'");
}

function readEnv(value: GraceOptions['env']): Settings['env'] {
  if (typeof value === 'function') return async () => environment('env', await value());
  const variables = value === undefined ? {} : environment('env', value);
  return () => variables;
}

function readCommand(value: readonly string[] | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const valid = Array.isArray(value) && value.every((word) => typeof word === 'string' && !word.includes('\0'));
  if (!valid || !value[0]) throw invalid('command', value, 'a list of a program and its arguments');
  return [...value];
}

function readSignals(value: SignalOptions | false | undefined): Required<SignalOptions> {
  if (value === false) return { stop: [], restart: [], reload: [], revert: [] };
  if (value === undefined) return DEFAULT_SIGNALS;
  if (typeof value !== 'object' || value === null) throw invalid('signals', value, 'an object or false');
  refuseUnknown({ options: value, where: 'signals', names: Object.keys(DEFAULT_SIGNALS), prefix: 'signals.' });
  const { stop = DEFAULT_SIGNALS.stop, restart = DEFAULT_SIGNALS.restart } = value;
  // A program that uses SIGHUP for restarts does not use it for certificates.
  const { revert = DEFAULT_SIGNALS.revert } = value;
  const free = DEFAULT_SIGNALS.reload.filter((signal) => ![stop, restart, revert].flat().includes(signal));
  const signals = { stop, restart, reload: value.reload === undefined ? free : value.reload, revert };
  const taken = new Map<NodeJS.Signals, string>();
  for (const [name, list] of Object.entries(signals)) {
    const subject = `signals.${name}`;
    if (!Array.isArray(list) || !list.every(canBeHandled)) throw invalid(subject, list, 'a list of signals that can be handled');
    for (const signal of new Set(list)) {
      const other = taken.get(signal);
      if (other !== undefined) throw alreadyUsed(subject, list, signal, other);
      taken.set(signal, name);
    }
  }
  return signals;
}

/** signal(7): SIGKILL and SIGSTOP cannot be handled. Node.js accepts unknown names without an error. */
function canBeHandled(signal: unknown): boolean {
  const { signals } = process.getBuiltinModule('node:os').constants;
  return typeof signal === 'string' && Object.hasOwn(signals, signal) && signal !== 'SIGKILL' && signal !== 'SIGSTOP';
}

type Types = { string: string; boolean: boolean; function: () => unknown };

function ofType<T extends keyof Types>(name: string, value: Types[T] | undefined, type: T): Types[T] | undefined {
  if (value === undefined || typeof value === type) return value;
  throw invalid(name, value, `a ${type}`);
}

function alreadyUsed(subject: string, value: unknown, signal: NodeJS.Signals, other: string): GraceError {
  const message = `the option ${subject} is ${show(value)}, but ${signal} is already used by signals.${other}`;
  return new GraceError('OPTION_INVALID', message, { subject, value });
}
