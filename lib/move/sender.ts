import { type SendHandle } from 'node:child_process';
import { type Socket } from 'node:net';
import { logger } from '../log.js';
import { HandleChannel, type Peer } from './channel.js';
import { handleOf, readOn, stopReading } from './handle.js';
import { ASK, ANSWER, MOVE, MOVED, type ToPredecessor, type ToSuccessor } from './messages.js';

const log = logger('move');

/**
 * How many connections are under way at the same time, at first, at least and at
 * most. Nobody reads from them until they have arrived, and the successor takes one in
 * each turn of its event loop.
 */
const UNDER_WAY = { first: 8, least: 2, most: 32 } as const;
/** Processor time that the successor should need at most for all connections under way. By the clock it is more. */
const AIM_MS = 8;
/** A descriptor that the successor could not receive is given up after one or two of these intervals. */
const ASK_EVERY_MS = 1_000;

/** Where the connections of one listener can move to. */
export interface Onward {
  /** Whether the successor takes connections of a kind. */
  takes(kind: string): boolean;
  /** Whether one more can be sent now. */
  readonly hasRoom: boolean;
  /**
   * Sends a connection, of which nothing is read from now on. Fulfils with true when
   * the successor has it; this process's own copy is closed then. If it fulfils with
   * false, the connection is served by this process as before.
   */
  send(kind: string, socket: Socket, details?: unknown): Promise<boolean>;
  /** Calls the handler each time when one more can be sent, and when nothing can be sent any more. */
  onChange(handler: () => void): void;
  /** False when the successor is gone, or takes nothing any more. */
  readonly open: boolean;
}

interface UnderWay {
  readonly socket: Socket;
  settle(taken: boolean): void;
}

/** Sends connections to the successor. */
export class ConnectionSender {
  /** Connections that the successor has taken. */
  moved = 0;
  readonly #peer: Peer;
  readonly #channel: HandleChannel;
  readonly #takes: ReadonlySet<string>;
  readonly #underWay = new Map<number, UnderWay>();
  readonly #handlers: (() => void)[] = [];
  #last = 0;
  #limit: number = UNDER_WAY.first;
  #open = true;
  #timer: NodeJS.Timeout | undefined;

  /** @param takes - the kinds of connections that the successor takes, as it said. */
  constructor(peer: Peer, takes: readonly string[]) {
    this.#peer = peer;
    this.#channel = new HandleChannel(peer);
    this.#takes = new Set(takes);
    peer.on('internalMessage', (message: ToPredecessor) => this.#onMessage(message));
    peer.on('disconnect', () => this.end());
    if (!peer.connected) this.#open = false;
  }

  get open(): boolean {
    return this.#open;
  }

  /** The way for connections of one listener; the successor names its kinds with its descriptor of the socket, or a sibling with the inode. */
  onward(descriptor: number | string): Onward {
    const sender = this;
    return {
      takes: (kind) => sender.#open && sender.#takes.has(kindOf(kind, descriptor)),
      send: (kind, socket, details) => sender.#send(kindOf(kind, descriptor), socket, details),
      onChange: (handler) => void sender.#handlers.push(handler),
      get hasRoom() {
        return sender.#open && sender.#underWay.size < sender.#limit;
      },
      get open() {
        return sender.#open;
      },
    };
  }

  /** Nothing more is sent. */
  close(): void {
    if (this.#peer.connected) this.#peer.disconnect();
  }

  /**
   * The successor is gone: what was under way is served here. Node.js does not always
   * say so: from version 22 on there is no 'disconnect' while a descriptor is under way.
   */
  end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#stopAsking();
    log('the successor takes no more connections; %d were under way', this.#underWay.size);
    for (const id of this.#underWay.keys()) this.#settle(id, false);
    this.#handlers.forEach((handler) => handler());
  }

  #send(kind: string, socket: Socket, details: unknown): Promise<boolean> {
    const handle = handleOf(socket);
    if (handle === undefined || !this.#open || !stopReading(socket)) return Promise.resolve(false);
    const id = (this.#last += 1);
    this.#timer ??= setInterval(() => this.#ask(), ASK_EVERY_MS);
    const settled = new Promise<boolean>((settle) => this.#underWay.set(id, { socket, settle }));
    // The handle and not the socket: so this process keeps the connection until the successor says that it has it.
    this.#tell({ cmd: MOVE, id, kind, details }, handle as unknown as SendHandle, () => this.#settle(id, false));
    return settled;
  }

  #ask(): void {
    if (this.#peer.connected) this.#tell({ cmd: ASK, id: this.#last });
    else this.end();
  }

  #tell(message: ToSuccessor, handle?: SendHandle, onError: () => void = () => undefined): void {
    this.#channel.send(message, handle, (error) => {
      if (error === null) return;
      log('%s', error.message);
      onError();
    });
  }

  #onMessage(message: ToPredecessor): void {
    if (message.cmd === MOVED) {
      if (message.busy !== undefined) this.#limit = limitFor(message.busy);
      this.#settle(message.id, message.taken);
    }
    if (message.cmd !== ANSWER) return;
    for (const id of this.#underWay.keys()) if (id <= message.id) this.#settle(id, false);
  }

  #settle(id: number, taken: boolean): void {
    const underWay = this.#underWay.get(id);
    if (underWay === undefined) return;
    this.#underWay.delete(id);
    if (this.#underWay.size === 0) this.#stopAsking();
    const { socket, settle } = underWay;
    if (taken) this.moved += 1;
    // close(2) changes nothing for the client, because the successor has the connection open.
    if (taken) socket.destroy();
    else readOn(socket);
    settle(taken);
    // Not for each one, because each look for more has its cost.
    if (this.#open && this.#underWay.size <= this.#limit / 2) this.#handlers.forEach((handler) => handler());
  }

  #stopAsking(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** @param busy - milliseconds of processor time that the successor needs for each. */
function limitFor(busy: number): number {
  return Math.max(UNDER_WAY.least, Math.min(UNDER_WAY.most, Math.floor(AIM_MS / busy)));
}

/** The name of a kind of connections that come from one listening socket. */
export function kindOf(kind: string, descriptor: number | string): string {
  return `${kind} ${descriptor}`;
}
