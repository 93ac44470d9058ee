import { writeSync } from 'node:fs';
import net from 'node:net';
import { readLines } from '../handoff/lines.js';
import { logger } from '../log.js';
import { type FollowMessage, formatMessage, parseForwardMessage } from '../handoff/protocol.js';

const log = logger('followed');

/** A later generation's end of what it shares with the first process, which waits for the last: see Follower. */
export class Followed {
  readonly #fd: number;
  #reader: net.Socket | undefined;
  #closed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * The inherited end, for the next generation to inherit; undefined when the
   * first process is gone. Node.js keeps it from all other programs.
   */
  get fd(): number | undefined {
    return this.#closed ? undefined : this.#fd;
  }

  /**
   * Says that this process serves, and from now on hears the signals that the
   * first process gets.
   *
   * @param onAlone - called when the first process is gone: whoever watched it takes the service for ended.
   */
  serve(onSignal: (signal: NodeJS.Signals) => void, onAlone: () => void): void {
    this.#say({ type: 'serving', pid: process.pid });
    process.on('exit', (code) => this.#say({ type: 'exit', pid: process.pid, code }));
    const reader = new net.Socket({ fd: this.#fd, readable: true, writable: true, allowHalfOpen: true });
    readLines(reader, (line) => {
      const message = parseForwardMessage(line);
      if (message !== undefined) onSignal(message.signal);
    });
    // A reset where the first process was killed before it had read all that was said to it.
    reader.on('error', (error) => log('%s', error.message));
    reader.once('end', () => reader.destroy());
    reader.once('close', () => {
      // The number may soon be another file's.
      this.#closed = true;
      onAlone();
    });
    reader.unref();
    this.#reader = reader;
  }

  /** Leaves the reading to the next generation. The descriptor stays open until this process ends: that is waited for. */
  handOver(): void {
    this.#reader?.pause();
  }

  #say(message: FollowMessage): void {
    if (this.#closed) return;
    try {
      writeSync(this.#fd, formatMessage(message));
    } catch (error) {
      log('the first process is gone: %s', error);
    }
  }
}
