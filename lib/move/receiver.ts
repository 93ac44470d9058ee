import { type Channel } from '../launch/preload-contract.js';
import { logger } from '../log.js';
import { type Handle } from './handle.js';
import { ANSWER, ASK, MOVE, MOVED, type Move, type ToSuccessor } from './messages.js';
import { ProcessorTime } from './processor-time.js';

const log = logger('move');

/** Gives a connection to its server. Nothing has been read from it in this process. An error leaves it to the predecessor. */
export type Taker = (handle: Handle, details: unknown) => void;

/** Receives connections from the predecessor. */
export class ConnectionReceiver {
  /** Fulfils when no connection can come any more. */
  readonly ended: Promise<void>;
  #channel: Channel | undefined;
  readonly #takers = new Map<string, Taker>();
  readonly #processorTime = new ProcessorTime();
  #end!: () => void;
  #refusing = false;
  #rename: (kind: string) => string = (kind) => kind;
  /** The takers by the names that the other side uses. */
  #renamed: ReadonlyMap<string, Taker> | undefined;

  constructor(channel: Channel | undefined) {
    this.#channel = channel?.ended === false ? channel : undefined;
    this.ended = new Promise((done) => {
      this.#end = done;
    });
    if (this.#channel === undefined) {
      this.#end();
      return;
    }
    this.#channel.onEnd = this.#end;
    this.#listen();
  }

  /**
   * Receives connections of a sibling.
   *
   * @param rename - how the other side names a kind.
   */
  connect(channel: Channel, rename: (kind: string) => string): void {
    this.#channel = channel;
    this.#rename = rename;
    this.#listen();
  }

  #listen(): void {
    process.on('internalMessage' as 'message', (message, handle) => this.#onMessage(message as ToSuccessor, handle as Handle | undefined));
  }

  /** Takes connections of a kind from now on. */
  take(kind: string, taker: Taker): void {
    this.#takers.set(kind, taker);
    this.#renamed = undefined;
  }

  /** The kinds that this process takes. */
  get kinds(): readonly string[] {
    return this.#channel === undefined ? [] : [...this.#byName.keys()];
  }

  /** Takes no more: this process stops. The predecessor itself serves what it still has. */
  refuse(): void {
    this.#refusing = true;
    this.#end();
  }

  get #byName(): ReadonlyMap<string, Taker> {
    this.#renamed ??= new Map([...this.#takers].map(([kind, taker]) => [this.#rename(kind), taker]));
    return this.#renamed;
  }

  #onMessage(message: ToSuccessor, handle: Handle | undefined): void {
    if (message.cmd === ASK) this.#channel?.send({ cmd: ANSWER, id: message.id });
    if (message.cmd !== MOVE) return;
    this.#processorTime.measure();
    // What this process writes now is sent before it reads from the connection for the first time: it does so in a later turn.
    this.#channel?.send({ cmd: MOVED, id: message.id, taken: this.#takes(message, handle), busy: this.#processorTime.average });
  }

  #takes({ kind, details }: Move, handle: Handle | undefined): boolean {
    const taker = this.#byName.get(kind);
    if (handle === undefined) return false;
    if (taker === undefined || this.#refusing) {
      handle.close();
      return false;
    }
    try {
      taker(handle, details);
      return true;
    } catch (error) {
      log('a connection of kind %s was not taken: %s', kind, error);
      return false;
    }
  }
}
