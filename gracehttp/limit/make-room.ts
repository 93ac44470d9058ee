import { type Socket } from 'node:net';
import { closeIdle } from '../http/close-idle.js';
import { type HttpConnections } from '../http/http-connections.js';

/**
 * How long a connection may be idle while others wait for its place. A shorter
 * time is fairer; a longer time closes fewer connections just as their clients
 * send the next request.
 */
const IDLE_WHILE_OTHERS_WAIT_MS = 500;
/** The search for idle connections ends when for this long no connection has waited: starting it means a look at every connection. */
const QUIET_MS = 1_000;
/** How often HTTP/2 sessions are looked at. */
const LOOK_EVERY_MS = 100;
/** How long the program has to say goodbye on upgraded connections before they are closed for others. */
const LEAVE_WITHIN_MS = 2_000;

/** How many connections wait for a place of this server. */
export interface Waiting {
  /** In this process. */
  here(): number;
  /** In its successor, while this process drains. */
  elsewhere(): number;
}

/**
 * Shares the places of a server fairly. While connections wait, a connection that
 * has a place is closed after its response, and one that has had a response and
 * is idle is closed, longest idle first, at most as many as are waiting. As many
 * HTTP/2 sessions leave, idle ones first: see leave().
 *
 * Upgraded connections (WebSocket) keep their places, but not in a process that
 * drains while connections of its successor wait: they have to leave it anyway.
 */
export class RoomMaker {
  readonly #connections: HttpConnections;
  readonly #waiting: Waiting;
  #stopLooking: (() => void) | undefined;
  #quiet: NodeJS.Timeout | undefined;
  /** When connections of the successor first waited. */
  #askedAt: number | undefined;

  constructor(connections: HttpConnections, waiting: Waiting) {
    this.#connections = connections;
    this.#waiting = waiting;
  }

  /** Call it when the number of waiting connections has changed. */
  update(): void {
    if (this.#waiting.elsewhere() > 0) this.#askedAt ??= performance.now();
    if (this.#wanted() > 0) {
      clearTimeout(this.#quiet);
      this.#quiet = undefined;
      this.#stopLooking ??= this.#look();
    } else if (this.#stopLooking !== undefined) {
      this.#quiet ??= setTimeout(() => this.#stop(), QUIET_MS).unref();
    }
  }

  /** The successor is gone, and this process serves again: its connections may stay. */
  serveAgain(): void {
    this.#askedAt = undefined;
    this.update();
  }

  #wanted(): number {
    return this.#waiting.here() + this.#waiting.elsewhere();
  }

  #look(): () => void {
    const keepOpen = this.#connections.closeWhen(() => this.#wanted() > 0);
    const stopClosingIdle = this.#closeIdle();
    const { sessions } = this.#connections;
    const timer = sessions && setInterval(() => sessions.makeRoom(this.#wanted()), LOOK_EVERY_MS).unref();
    return () => {
      keepOpen();
      stopClosingIdle();
      clearInterval(timer);
    };
  }

  #closeIdle(): () => void {
    const connections = this.#connections;
    return closeIdle(
      {
        sockets: () => connections.served(),
        isIdle: (socket) => this.#hasToLeave(socket) || (connections.isIdle(socket) && connections.hasSpoken(socket)),
        timeout: (socket) => (this.#hasToLeave(socket) ? 0 : IDLE_WHILE_OTHERS_WAIT_MS),
        atMost: () => this.#wanted(),
      },
      IDLE_WHILE_OTHERS_WAIT_MS,
    );
  }

  #hasToLeave(socket: Socket): boolean {
    if (this.#askedAt === undefined || this.#waiting.elsewhere() === 0) return false;
    return this.#connections.isUpgraded(socket) && performance.now() - this.#askedAt >= LEAVE_WITHIN_MS;
  }

  #stop(): void {
    this.#stopLooking?.();
    this.#stopLooking = undefined;
    this.#quiet = undefined;
  }
}
