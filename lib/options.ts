import { GraceError, show } from './errors.js';

/** Which signal does what; an empty list for none. */
export interface SignalOptions {
  /** Drain and exit. Default `SIGTERM`, `SIGINT`. */
  readonly stop?: readonly NodeJS.Signals[];
  /** Start a successor and hand over to it. Default `SIGUSR2`. */
  readonly restart?: readonly NodeJS.Signals[];
  /** Read certificates again. Default `SIGHUP`; left alone where no certificate comes from a file. */
  readonly reload?: readonly NodeJS.Signals[];
}

/** All times are in milliseconds. */
export interface GraceOptions {
  /**
   * From the wish to stop to the end of everything, `drainDelay` and `onShutdown`
   * included; what is left then is destroyed and counted. Default 30 000.
   */
  readonly drainTimeout?: number;
  /**
   * How long a connection that is idle, silent or still in its TLS handshake may
   * bring one more request while draining. Default 5 000. Clients that honour
   * `Keep-Alive: timeout=n` need n seconds and one more.
   */
  readonly idleTimeout?: number;
  /**
   * A final stop waits so long before it stops accepting, for load balancers to
   * notice that this process is no longer ready. Default 0.
   */
  readonly drainDelay?: number;
  /** A successor that is not ready by then is ended. Default 60 000. */
  readonly restartTimeout?: number;
  /** Holds the pid of the process that serves; replaced by each generation, removed by the last. */
  readonly pidFile?: string;
  /** `false` leaves all signals to the program. */
  readonly signals?: SignalOptions | false;
  /** Whether to leave the process when it is drained: code 0, or 1 where something was cut off. Default true. */
  readonly exit?: boolean;
  /**
   * For whoever watches the first process: supervisord, npm, foreman, a terminal,
   * PID 1 of a container. It stays when it has drained, passes SIGTERM, SIGINT,
   * SIGUSR2 and SIGHUP on to the generation that serves, and exits with the code
   * of the last one. Needs the option `exit`. Default false.
   */
  readonly follow?: boolean;
  /** Runs before a successor is started; where it throws, the restart has failed. Bounded by `drainTimeout`. */
  readonly beforeRestart?: () => unknown;
  /** Runs when the last connection is gone, to close what the requests needed. Bounded by `drainTimeout`. */
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
  readonly follow: boolean;
  readonly beforeRestart: () => unknown;
  readonly onShutdown: () => unknown;
}

/** setTimeout() takes no more: a signed 32-bit number of milliseconds, 24.8 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const DEFAULT_SIGNALS: Required<SignalOptions> = {
  stop: ['SIGTERM', 'SIGINT'],
  restart: ['SIGUSR2'],
  reload: ['SIGHUP'],
};
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
    follow: ofType('follow', options.follow, 'boolean') ?? false,
    beforeRestart: ofType('beforeRestart', options.beforeRestart, 'function') ?? NOTHING,
    onShutdown: ofType('onShutdown', options.onShutdown, 'function') ?? NOTHING,
  };
  if (settings.drainDelay > 0 && settings.drainDelay >= settings.drainTimeout) {
    throw invalid('drainDelay', settings.drainDelay, `less than drainTimeout (${settings.drainTimeout})`);
  }
  if (settings.follow && !settings.exit) throw invalid('follow', true, 'false where exit is false');
  return settings;
}

/** @throws GraceError `OPTION_INVALID` */
export function milliseconds(name: string, value: number | undefined, otherwise: number): number {
  return wholeNumber(name, value, 0, MAX_TIMEOUT_MS) ?? otherwise;
}

/** @throws GraceError `OPTION_INVALID` */
export function wholeNumber(name: string, value: number | undefined, min: number, max: number): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return value;
  throw invalid(name, value, `a whole number from ${min} to ${max}`);
}

function readSignals(value: SignalOptions | false | undefined): Required<SignalOptions> {
  if (value === false) return { stop: [], restart: [], reload: [] };
  if (value === undefined) return DEFAULT_SIGNALS;
  if (typeof value !== 'object' || value === null) throw invalid('signals', value, 'an object or false');
  const { stop = DEFAULT_SIGNALS.stop, restart = DEFAULT_SIGNALS.restart } = value;
  // Whoever restarts by SIGHUP does not mean certificates by it.
  const free = DEFAULT_SIGNALS.reload.filter((signal) => ![stop, restart].flat().includes(signal));
  const signals = { stop, restart, reload: value.reload === undefined ? free : value.reload };
  const taken = new Map<NodeJS.Signals, string>();
  for (const [name, list] of Object.entries(signals)) {
    const subject = `signals.${name}`;
    if (!Array.isArray(list) || !list.every(canBeHandled)) throw invalid(subject, list, 'a list of signals that can be handled');
    for (const signal of new Set(list)) {
      const other = taken.get(signal);
      if (other !== undefined) throw invalid(subject, list, `other signals than to ${other} by, which has ${signal}`);
      taken.set(signal, name);
    }
  }
  return signals;
}

/** signal(7): nobody handles SIGKILL and SIGSTOP; Node.js takes an unknown name for an event like any other. */
function canBeHandled(signal: unknown): boolean {
  const { signals } = process.getBuiltinModule('node:os').constants;
  return typeof signal === 'string' && Object.hasOwn(signals, signal) && signal !== 'SIGKILL' && signal !== 'SIGSTOP';
}

type Types = { string: string; boolean: boolean; function: () => unknown };

function ofType<T extends keyof Types>(name: string, value: Types[T] | undefined, type: T): Types[T] | undefined {
  if (value === undefined || typeof value === type) return value;
  throw invalid(name, value, `a ${type}`);
}

function invalid(subject: string, value: unknown, expected: string): GraceError {
  return new GraceError('OPTION_INVALID', `the option ${subject} is ${show(value)}, expected ${expected}`, {
    subject,
    value,
  });
}
