import { type State } from '../events.js';
import { formatTime } from '../deadline.js';
import { logger, report } from '../log.js';
import { type GraceListener } from '../socket/listener.js';

const log = logger('idle');

const LOOKS_PER_TIME = 10;
const SHORTEST_LOOK_MS = 5;
const LONGEST_LOOK_MS = 1_000;

/** A process that ends when nobody uses it. */
export interface Idling {
  readonly state: State;
  readonly sockets: readonly GraceListener[];
  stop(): Promise<void>;
}

/**
 * Stops a process that has had no connection for a while: the option
 * `exitWhenIdle`. Only if systemd holds all of its sockets: then systemd keeps the
 * queue, and starts the service for the next connection. Returns a function that ends that.
 *
 * @param time - milliseconds.
 */
export function exitWhenIdle(grace: Idling, time: number): () => void {
  const { sockets } = grace;
  if (sockets.length === 0 || !sockets.every(({ origin }) => origin === 'systemd')) {
    log('not all sockets come from systemd, so this process stays');
    return () => undefined;
  }
  const connections = (): number => sockets.reduce((sum, { service }) => sum + (service?.connections.size ?? 0), 0);
  const accepted = (): number => sockets.reduce((sum, { service }) => sum + (service?.connections.accepted ?? 0), 0);
  let before = accepted();
  let since = performance.now();
  const look = (): void => {
    if (connections() > 0 || accepted() !== before) {
      since = performance.now();
      before = accepted();
    }
    if (performance.now() - since < time || grace.state !== 'serving') return;
    report(`no connection for ${formatTime(time)}: this process ends, and systemd starts it for the next one`);
    void grace.stop();
  };
  const timer = setInterval(look, Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, time / LOOKS_PER_TIME))).unref();
  return () => clearInterval(timer);
}
