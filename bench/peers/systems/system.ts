import { type Place } from '../run/place.js';

/** A program that serves and restarts, as its documentation recommends it. */
export interface System {
  readonly name: string;
  readonly title: string;
  readonly group: 'ts-grace' | 'Node.js' | 'others';
  /** How it is restarted, in a few words. */
  readonly restarts: string;
  /** False if it answers one request a connection: then there are no connections to lose. */
  readonly keepAlive?: boolean;
  /** Its version. Throws if it is not installed. */
  version(): string;
  /** Starts it. */
  start(place: Place): Promise<Running> | Running;
}

/** A system that runs. What it has started ends with its place. */
export interface Running {
  /** Replaces the running processes by new ones; may return before that is done. */
  restart(): Promise<void> | void;
}
