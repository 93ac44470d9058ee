import { type Server, type Socket } from 'node:net';
import { type Connections } from '../../lib/socket/connections.js';
import { GraceError, show } from '../../lib/errors.js';
import { type Pausing, unpause } from '../../lib/socket/hold.js';
import { wholeNumber } from '../../lib/options.js';
import { type Overflow, turnAway } from './overflow.js';

export interface ThrottleOptions {
  /** How many connections the server has at a time; more wait their turn. Default: no limit. */
  readonly maxConnections?: number;
  /** How many may wait. Default 1 024. */
  readonly maxQueued?: number;
  /**
   * What one more gets: a reset, or an answer 503 with `Retry-After`. Default `reset`;
   * with TLS always, as an answer would need a handshake first.
   */
  readonly overflow?: Overflow;
}

const DEFAULT_MAX_QUEUED = 1_024;
const OVERFLOWS: readonly (string | undefined)[] = ['reset', '503', undefined] satisfies (Overflow | undefined)[];
/** Handing a connection to an http.Server takes 20 to 50 µs: a long queue goes over in slices. */
const SLICE_MS = 5;

/** @throws GraceError `OPTION_INVALID` */
export function checkThrottle({ maxConnections, maxQueued, overflow }: ThrottleOptions, speaksHttp: boolean): void {
  wholeNumber('maxConnections', maxConnections, 1, Number.MAX_SAFE_INTEGER);
  wholeNumber('maxQueued', maxQueued, 0, Number.MAX_SAFE_INTEGER);
  const known = OVERFLOWS.includes(overflow);
  if (known && (overflow !== '503' || speaksHttp)) return;
  const expected = known ? "'reset', as the server does not speak HTTP" : "'reset' or '503'";
  throw new GraceError('OPTION_INVALID', `the option overflow is ${show(overflow)}, expected ${expected}`, {
    subject: 'overflow',
    value: overflow,
  });
}

/**
 * Limits how many connections a server has at a time. One over the limit is
 * accepted and left unread: its client sees a slow server, and not an error. A
 * server without a limit is not touched.
 */
export class Throttle {
  /** Called when a connection has ended. */
  onEnd: () => void = () => undefined;
  readonly #server: Server & Pausing;
  readonly #connections: Connections<unknown>;
  readonly #maxQueued: number;
  readonly #overflow: Overflow;
  readonly #onQueue: (waiting: boolean) => void;
  readonly #turnedAway = new Set<Socket>();
  #emit: Server['emit'] | undefined;
  #pausesAnyway = false;
  #limit = Infinity;
  #reserved = 0;
  #refused = 0;
  #told = false;
  #filling = false;

  /** @param onQueue - called when connections begin to wait, and when none waits any more. */
  constructor(
    server: Server,
    connections: Connections<unknown>,
    { maxConnections, maxQueued, overflow }: ThrottleOptions,
    onQueue: (waiting: boolean) => void,
  ) {
    this.#server = server as Server & Pausing;
    this.#connections = connections;
    this.#maxQueued = maxQueued ?? DEFAULT_MAX_QUEUED;
    this.#overflow = overflow ?? 'reset';
    this.#onQueue = onQueue;
    if (maxConnections !== undefined) this.limit(maxConnections);
  }

  /** `Infinity` where there is none. */
  get maximum(): number {
    return this.#limit;
  }

  /** Connections that wait for a place. */
  get queued(): number {
    return this.#connections.waiting.size;
  }

  /** Connections that the server has. */
  get served(): number {
    return this.#connections.size - this.queued - this.#turnedAway.size;
  }

  /** How many there was no room for, in all. */
  get refused(): number {
    return this.#refused;
  }

  get free(): number {
    return Math.max(0, this.#limit - this.#reserved - this.served);
  }

  /**
   * Sets the limit. Raised, the connections that wait are served, the oldest
   * first; lowered, nobody is cut off, and the number falls as connections end.
   *
   * @param maximum - connections at a time; 0 lets all that are new wait, `Infinity`
   * lifts the limit. Without it, or with a negative number, nothing changes.
   * @returns how many places are free; `Infinity` without a limit.
   * @throws GraceError `OPTION_INVALID` for a fraction or `NaN`.
   */
  limit(maximum = -1): number {
    if (maximum !== Infinity) wholeNumber('limit', maximum, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    if (maximum < 0) return this.free;
    this.#limit = maximum;
    if (maximum !== Infinity) this.#install();
    this.#fill();
    return this.free;
  }

  /** Places that a predecessor's connections hold as long as it drains. */
  reserve(places: number): void {
    this.#reserved = places;
    this.#fill();
  }

  /**
   * Puts itself before all 'connection' listeners, those that the program adds
   * later among them: a queued connection is theirs when it has its place.
   */
  #install(): void {
    if (this.#emit !== undefined) return;
    const server = this.#server;
    const emit = server.emit;
    this.#emit = emit;
    this.#pausesAnyway = server.pauseOnConnect;
    this.#connections.onEnd = () => {
      // Later, as the program may hear of this end only now, and count connections, too.
      this.#fillSoon(process.nextTick);
      this.onEnd();
    };
    server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      if (event === 'connection' && !this.#admits(args[0] as Socket)) return true;
      // It may have come while there was no place, and been held by a final stop since.
      if (event === 'connection') this.#unpause(args[0] as Socket);
      const handled = Reflect.apply(emit, server, [event, ...args]) as boolean;
      if (event === 'connection') this.#update();
      return handled;
    };
  }

  #admits(socket: Socket): boolean {
    if (this.queued === 0 && this.free > 0) return true;
    if (this.queued < this.#maxQueued) this.#enqueue(socket);
    else this.#turnAway(socket);
    return false;
  }

  #enqueue(socket: Socket): void {
    this.#connections.add(socket);
    this.#connections.waiting.add(socket);
    // One that a program emitted itself did not come paused.
    if (!socket.isPaused()) socket.pause();
    this.#update();
  }

  #turnAway(socket: Socket): void {
    this.#refused += 1;
    this.#turnedAway.add(socket);
    // Before Connections hears of the end, as it asks then how many are served.
    socket.once('close', () => this.#turnedAway.delete(socket));
    this.#connections.add(socket);
    turnAway(this.#server, socket, this.#overflow);
  }

  #fill(): void {
    const { waiting } = this.#connections;
    const end = performance.now() + SLICE_MS;
    for (const socket of waiting) {
      if (this.free === 0) break;
      if (performance.now() >= end) {
        this.#fillSoon(setImmediate);
        break;
      }
      waiting.delete(socket);
      if (!socket.destroyed) this.#handOver(socket);
    }
    this.#update();
  }

  #fillSoon(schedule: (fill: () => void) => unknown): void {
    if (this.#filling) return;
    this.#filling = true;
    schedule(() => {
      this.#filling = false;
      this.#fill();
    });
  }

  #handOver(socket: Socket): void {
    this.#unpause(socket);
    Reflect.apply(this.#emit!, this.#server, ['connection', socket]);
  }

  #unpause(socket: Socket): void {
    if (!this.#pausesAnyway && socket.isPaused()) unpause(socket);
  }

  #update(): void {
    const waiting = this.queued > 0;
    // Node.js asks for it at each accept, right before it emits 'connection'.
    this.#server.pauseOnConnect = this.#pausesAnyway || waiting || this.free === 0;
    if (waiting === this.#told) return;
    this.#told = waiting;
    this.#onQueue(waiting);
  }
}
