import { type EventEmitter } from 'node:events';
import { formatTime } from '../deadline.js';
import { messageOf } from '../errors.js';
import { type GraceEvents, type State } from '../events.js';
import { report, warn } from '../log.js';
import { type RecycleSettings } from './lifetime-options.js';

const BYTES_PER_MIB = 1024 * 1024;
const NANOSECONDS_PER_MS = 1_000_000;
/** How often Node.js measures the delay of the event loop. It counts this time as delay too. */
const RESOLUTION_MS = 10;

/** A process that restarts itself. */
export interface Recycled extends EventEmitter<GraceEvents> {
  readonly state: State;
  restart(): Promise<unknown>;
}

/** Restarts a process before what it has gathered becomes a problem: the option `recycle`. Returns a function that ends that. */
export function recycle(grace: Recycled, settings: RecycleSettings): () => void {
  const delay =
    settings.eventLoopDelay > 0
      ? process.getBuiltinModule('node:perf_hooks').monitorEventLoopDelay({ resolution: RESOLUTION_MS })
      : undefined;
  const lifetime = settings.age * (1 + Math.random() * settings.jitter);
  const begin = performance.now();
  let next = begin + settings.minInterval;
  let warned = false;
  let running = false;
  delay?.enable();
  const reason = (): string | undefined => {
    const { rss, age, eventLoopDelay } = settings;
    const resident = process.memoryUsage.rss();
    if (rss > 0 && resident > rss) return `it has ${toMib(resident)} MiB resident, more than ${toMib(rss)}`;
    if (age > 0 && performance.now() - begin > lifetime) return `it has served for ${formatTime(performance.now() - begin)}`;
    const mean = (delay?.mean ?? 0) / NANOSECONDS_PER_MS - RESOLUTION_MS;
    delay?.reset();
    return eventLoopDelay > 0 && mean > eventLoopDelay
      ? `its event loop is ${formatTime(mean)} late, more than ${formatTime(eventLoopDelay)}`
      : undefined;
  };
  const look = (): void => {
    const why = reason();
    if (why === undefined || running || grace.state !== 'serving' || performance.now() < next) return;
    running = true;
    report(`recycling this process: ${why}`);
    const onError = (error: unknown): void => {
      // A failed restart was reported when it failed.
      if (!warned && (error as { code?: unknown }).code !== 'RESTART_FAILED')
        warn(`this process cannot recycle itself: ${messageOf(error)}`);
      warned = true;
    };
    void grace
      .restart()
      .catch(onError)
      .finally(() => {
        running = false;
        next = performance.now() + settings.minInterval;
      });
  };
  const timer = setInterval(look, settings.interval).unref();
  return () => {
    clearInterval(timer);
    delay?.disable();
  };
}

function toMib(bytes: number): number {
  return Math.round(bytes / BYTES_PER_MIB);
}
