import { writeSync } from 'node:fs';
import net from 'node:net';
import { logger } from '../log.js';
import { type GenerationMessage, type SignalMessage, formatFollowMessage, parseSignalMessage } from './messages.js';

const log = logger('later-generation');

/** Holds all messages that can wait in practice, so that none is read in two parts by two generations. */
const READ_BYTES = 65_536;

/** A later generation's end of the socket that it shares with the first process, see FirstProcess. */
export class LaterGeneration {
  readonly #fd: number;
  #reader: net.Socket | undefined;
  #closed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * The descriptor, for the next generation to inherit; undefined when the first
   * process is gone. It is close-on-exec, so no other program inherits it.
   */
  get fd(): number | undefined {
    return this.#closed ? undefined : this.#fd;
  }

  /**
   * Says that this process serves, and from now on receives the signals that the
   * first process gets.
   *
   * @param onAlone - called when the first process is gone: the program that watched it thinks that the service has stopped.
   */
  serve(onSignal: (message: SignalMessage) => void, onAlone: () => void): void {
    this.#say({ type: 'serving', pid: process.pid });
    process.on('exit', (code) => this.#say({ type: 'exit', pid: process.pid, code }));
    const reader = openReader(this.#fd, (line) => {
      const message = parseSignalMessage(line);
      if (message !== undefined) onSignal(message);
    });
    // ECONNRESET, if the first process was killed before it had read everything.
    reader.on('error', (error) => log('%s', error.message));
    reader.once('end', () => reader.destroy());
    reader.once('close', () => {
      // The number may soon belong to another file.
      this.#closed = true;
      onAlone();
    });
    reader.unref();
    this.#reader = reader;
  }

  /** Leaves the reading to the next generation. The descriptor stays open until this process exits: the first process waits for that. */
  handOver(): void {
    this.#reader?.pause();
  }

  /** Says that this process serves again, and receives the signals. */
  takeBack(): void {
    this.#say({ type: 'serving', pid: process.pid });
    this.#reader?.resume();
  }

  #say(message: GenerationMessage): void {
    if (this.#closed) return;
    try {
      writeSync(this.#fd, formatFollowMessage(message));
    } catch (error) {
      log('the first process is gone: %s', error);
    }
  }
}

/**
 * Reads lines from a socket that other processes read too, until it is paused.
 * Only with `onread` does pause() keep Node.js from reading on, which would take
 * messages away from the next generation.
 */
function openReader(fd: number, onLine: (line: string) => void): net.Socket {
  let rest = '';
  const callback = (length: number, buffer: Uint8Array): boolean => {
    const lines = (rest + Buffer.from(buffer.subarray(0, length)).toString()).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
    return true;
  };
  // The types of the oldest Node.js have `onread` only for connect().
  const options: net.SocketConstructorOpts & { readonly onread: net.OnReadOpts } = {
    fd,
    readable: true,
    writable: true,
    allowHalfOpen: true,
    onread: { buffer: Buffer.alloc(READ_BYTES), callback },
  };
  return new net.Socket(options);
}
