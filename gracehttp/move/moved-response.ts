import { type Socket } from 'node:net';
import { Writable } from 'node:stream';

/** The framing of {@link MovedResponse}, as it is named to the other process. */
export const CHUNKED = 'chunked';

const LAST_CHUNK = '0\r\n\r\n';

/**
 * The rest of a response without a known length, whose head and first chunks a
 * predecessor has written. end() finishes it, and gives the connection back to HTTP.
 * Emits 'close' when the client has left.
 */
export class MovedResponse extends Writable {
  /** The connection that carries it. */
  readonly socket: Socket;
  readonly #onFinished: () => void;
  /** What the client sends meanwhile waits for the end; but that it has left is seen at once. */
  readonly #onReadable = (): void => {
    if (this.socket.readableLength === 0) this.socket.read();
  };
  readonly #onClose = (): void => void this.destroy();

  constructor(socket: Socket, onFinished: () => void) {
    super({ decodeStrings: true });
    this.socket = socket;
    this.#onFinished = onFinished;
    socket.on('error', this.#onClose).on('close', this.#onClose).on('end', this.#onClose).on('readable', this.#onReadable);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    // A chunk without a length would be the last one.
    if (chunk.length === 0) return done();
    const { socket } = this;
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    socket.write('\r\n', done);
    socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    const { socket } = this;
    socket.write(LAST_CHUNK, (error) => {
      socket.off('error', this.#onClose).off('close', this.#onClose).off('end', this.#onClose).off('readable', this.#onReadable);
      done(error ?? null);
      if (!socket.destroyed) this.#onFinished();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.writableFinished) this.socket.destroy();
    done(error);
  }
}
