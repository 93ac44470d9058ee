import { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type Socket } from 'node:net';
import { nextTurn, sleep } from '../../lib/deadline.js';

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** How often to look whether a frame has gone out that a full socket holds up. */
const LOOK_EVERY_MS = 10;

/** An open HTTP/2 session of a server, and the streams on it. */
export class OpenSession {
  readonly session: ServerHttp2Session;
  /** Whether it is told to leave. */
  leaving = false;
  /** When a stream last began or ended, or else when the session began; by performance.now(). */
  changedAt = performance.now();
  /** How often a stream has begun or ended. */
  changes = 0;
  readonly #socket: Socket;
  /** Streams that the program has. */
  #streams = 0;
  /** New streams, as arguments of the event 'stream', while the program does not get them. */
  #held: unknown[][] | undefined;
  /** Streams that are held no longer, and that the program gets at the end of this turn. */
  #released = 0;
  #holds = false;
  #ended = false;
  #onChange: (() => void) | undefined;

  constructor(session: ServerHttp2Session) {
    this.session = session;
    this.#socket = socketOf(session);
    // In front of the program's listeners, so that they find their own stream counted.
    session.prependListener('stream', (stream: ServerHttp2Stream) => this.#begin(stream));
    session.once('close', () => {
      this.#ended = true;
      this.#onChange?.();
    });
  }

  /** Streams whose response is not yet sent. */
  get inFlight(): number {
    return this.#streams + this.held + this.#released;
  }

  /** Streams that the program does not have yet, see {@link hold}. */
  get held(): number {
    return this.#held?.length ?? 0;
  }

  get hasSpoken(): boolean {
    return this.changes > 0;
  }

  /** Whether its connection is closed. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Keeps new streams from the program until {@link release}: their clients wait, and send nothing in answer to a response. */
  hold(): void {
    this.#held ??= [];
    if (this.#holds) return;
    this.#holds = true;
    // It stays replaced, because the program may replace it too.
    const { session } = this;
    const emit = session.emit as Emit;
    session.emit = ((event, ...args) => {
      if (event !== 'stream' || this.#held === undefined) return emit.call(session, event, ...args);
      this.#held.push(args);
      // Its client may reset it, or GOAWAY may refuse it, and nobody else listens yet.
      (args[0] as ServerHttp2Stream).on('error', ignore);
      this.#changed();
      return true;
    }) as Emit as ServerHttp2Session['emit'];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const args of held) {
      const stream = args[0] as ServerHttp2Stream;
      if (stream.destroyed) continue;
      stream.off('error', ignore);
      // As Node.js does it, so that what one handler throws does not reach the next one.
      this.#released += 1;
      process.nextTick(() => {
        this.#released -= 1;
        this.session.emit('stream', ...(args as [never, never, never]));
      });
    }
  }

  /** Waits until the condition holds, the session has ended, or the time is over. The condition is asked at each change. */
  until(condition: () => boolean, milliseconds = Infinity): Promise<void> {
    return new Promise((done) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#onChange = undefined;
        done();
      };
      const timer = milliseconds === Infinity ? undefined : setTimeout(finish, Math.max(0, milliseconds));
      this.#onChange = () => {
        if (this.#ended || condition()) finish();
      };
      this.#onChange();
    });
  }

  /** Ends with the answer to a PING (RFC 9113, 6.7), or after the time. */
  roundTrip(milliseconds: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, Math.max(0, milliseconds));
      // If too many are under way already, or the session ends, the answer is an error.
      if (this.session.destroyed) return;
      this.session.ping(() => {
        clearTimeout(timer);
        done();
      });
    });
  }

  /**
   * Sends GOAWAY. Ends when it has gone out, or after the time; until then new streams are held.
   *
   * The session is closed only then. A stream that begins in a closed session is refused
   * by Node.js while nghttp2 still reads it. In Node.js 20, a GOAWAY that has not gone out yet
   * goes out at this moment, and that frees the stream that is being read: memory is damaged.
   * close() does not wait for the client: when it did, Chromium lost images of a page in 10 of 19 runs.
   */
  async close(milliseconds: number): Promise<void> {
    this.hold();
    if (!this.session.closed && !this.session.destroyed) {
      this.session.goaway();
      await this.#whenSent(milliseconds);
    }
    this.session.close();
  }

  /** Closes the connection, whatever is on it. */
  destroy(): void {
    this.session.destroy();
    this.#socket.destroy();
  }

  async #whenSent(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    // Node.js sends what is queued in the next turn of the event loop.
    await nextTurn();
    await nextTurn();
    while (!this.session.destroyed && (this.session.state.outboundQueueSize ?? 0) > 0 && performance.now() < end)
      await sleep(LOOK_EVERY_MS);
  }

  #begin(stream: ServerHttp2Stream): void {
    this.#streams += 1;
    stream.once('close', () => {
      this.#streams -= 1;
      this.#changed();
    });
    this.#changed();
  }

  #changed(): void {
    this.changes += 1;
    this.changedAt = performance.now();
    this.#onChange?.();
  }
}

const ignore = (): void => undefined;

/** `session.socket` is a proxy, which is gone when the session ends. Methods of EventEmitter return the socket itself. */
function socketOf({ socket }: ServerHttp2Session): Socket {
  return socket.off('close', () => undefined);
}
