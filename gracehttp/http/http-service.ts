import { type Server, type Socket } from 'node:net';
import { MoveKept, type TakeBack } from '../../lib/move/kept.js';
import { type Onward } from '../../lib/move/sender.js';
import { type Settings } from '../../lib/options.js';
import { type Service } from '../../lib/socket/service.js';
import { type LeaveTimes } from '../http2/leave.js';
import { spread } from './spread.js';
import { closeIdle } from './close-idle.js';
import { type HttpConnections } from './http-connections.js';
import { MoveConnections } from './move-connections.js';

/** The times of a drain, in milliseconds; see GraceOptions. */
export type DrainTimes = Pick<Settings, 'idleTimeout' | 'drainTimeout' | 'drainDelay'>;

/** A client may send a request when its time is just over, and the request takes a while to arrive. */
const AFTER_KEEP_ALIVE_MS = 1_000;
/** Idle connections are closed this long before the drain deadline, so that what follows has time too. */
const BEFORE_DEADLINE_MS = 1_000;
/** If no stream of an HTTP/2 session has begun or ended for this time, its client most probably sends nothing when it is told to leave. */
const PAUSE_MS = 2_000;
/** A good moment for GOAWAY comes soon or not at all; the streams that are then open need time too. */
const LONGEST_PATIENCE_MS = 4_000;
const PATIENCE_SHARE = 1 / 4;

/** Drains the connections of an HTTP or HTTPS server. */
export class HttpService implements Service {
  readonly connections: HttpConnections;
  readonly #server: Server;
  readonly unit = 'request';
  readonly #times: DrainTimes;
  #moving: MoveConnections | undefined;
  #movingKept: MoveKept | undefined;
  #stopClosingIdle: (() => void) | undefined;
  #keepOpen: (() => void) | undefined;
  #spreading: NodeJS.Timeout | undefined;
  /** How many drains were taken back. */
  #takenBack = 0;

  constructor(server: Server, connections: HttpConnections, times: DrainTimes) {
    this.connections = connections;
    this.#server = server;
    this.#times = times;
  }

  begin(onward?: Onward, takeBack?: TakeBack, time = 0): void {
    if (onward !== undefined && takeBack !== undefined) {
      this.#movingKept = new MoveKept((socket) => this.connections.follows(socket), onward, takeBack);
    }
    if (!MoveConnections.possible(this.#server, onward)) return time > 0 ? this.#spreadEnds(time) : this.#endConnections();
    const moving = new MoveConnections(this.#server, this.connections, onward);
    this.#moving = moving;
    this.#closeIdle(() => moving.left);
    onward.onChange(() => {
      if (!onward.open && this.#moving === moving) this.#endConnections();
    });
  }

  resume(): void {
    this.#stop();
    this.#moving = undefined;
    this.#movingKept?.stop();
    this.#keepOpen?.();
    this.connections.sessions?.stay();
    this.#takenBack += 1;
  }

  async finished(): Promise<void> {
    const drain = this.#takenBack;
    await this.connections.none();
    if (drain !== this.#takenBack) return;
    this.#stop();
    this.#movingKept?.stop();
  }

  inFlight(): number {
    // A waiting connection may have sent its request already.
    return this.connections.waiting.size + this.connections.unfinished;
  }

  cutOff(): number {
    this.#stop();
    this.#movingKept?.stop();
    const count = this.inFlight();
    this.connections.destroyAll();
    return count;
  }

  adopt(socket: Socket): void {
    this.connections.add(socket, true);
    this.connections.setUpgraded(socket, true);
  }

  #stop(): void {
    clearTimeout(this.#spreading);
    this.#moving?.stop();
    this.#stopClosingIdle?.();
  }

  /** No connection can move, and there is time: each one ends at another moment. */
  #spreadEnds(time: number): void {
    this.connections.sessions?.leave(leaveTimes(this.#times), time);
    this.#keepOpen = this.connections.closeWhen(spread(this.connections.each(), time));
    this.#spreading = setTimeout(() => this.#endConnections(), time);
  }

  /** No connection can move: each one ends after its response, or when it is idle. */
  #endConnections(): void {
    this.#stop();
    this.connections.sessions?.leave(leaveTimes(this.#times));
    this.#keepOpen?.();
    this.#keepOpen = this.connections.closeAll();
    this.#closeIdle(() => this.connections.served());
  }

  #closeIdle(sockets: () => Iterable<Socket>): void {
    const { connections } = this;
    const { idleTimeout } = this.#times;
    const kept = keptIdle(this.#server, this.#times);
    this.#stopClosingIdle = closeIdle(
      {
        sockets,
        isIdle: (socket) => connections.isIdle(socket),
        // Its response has said how long the connection will be kept.
        timeout: (socket) => (connections.hasSpoken(socket) ? kept : idleTimeout),
      },
      idleTimeout,
    );
  }
}

/** When a drain sends GOAWAY: see leave(). */
function leaveTimes({ idleTimeout, drainTimeout, drainDelay }: DrainTimes): LeaveTimes {
  const patience = Math.min(LONGEST_PATIENCE_MS, (drainTimeout - drainDelay) * PATIENCE_SHARE);
  return { idleTimeout, pause: Math.min(PAUSE_MS, idleTimeout), patience };
}

/**
 * How long a drain keeps a connection that has had a response, in milliseconds.
 * Load balancers and pools send on a connection as long as the server has
 * promised to keep it, so a shorter idle timeout would lose their requests.
 */
export function keptIdle(server: Server, { idleTimeout, drainTimeout, drainDelay }: DrainTimes): number {
  const { keepAliveTimeout = 0 } = server as { readonly keepAliveTimeout?: number };
  // Without a keep-alive time nothing is promised.
  const promised = keepAliveTimeout > 0 ? keepAliveTimeout + AFTER_KEEP_ALIVE_MS : 0;
  return Math.max(idleTimeout, Math.min(promised, drainTimeout - drainDelay - BEFORE_DEADLINE_MS));
}
