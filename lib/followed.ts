import { writeSync } from 'node:fs';
import net from 'node:net';
import { readLines } from './lines.js';
import { logger } from './log.js';
import { type FollowMessage, formatMessage, parseForwardMessage } from './protocol.js';

const log = logger('followed');

/** A later generation's end of what it shares with the first process, which waits for the last: see Follower. */
export class Followed {
  /** The inherited end, for the next generation to inherit; Node.js keeps it from all other programs. */
  readonly fd: number;
  #reader: net.Socket | undefined;

  constructor(fd: number) {
    this.fd = fd;
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
    const reader = new net.Socket({ fd: this.fd, readable: true, writable: true, allowHalfOpen: true });
    readLines(reader, (line) => {
      const message = parseForwardMessage(line);
      if (message !== undefined) onSignal(message.signal);
    });
    reader.once('end', onAlone);
    reader.on('error', (error) => log('%s', error.message));
    reader.unref();
    this.#reader = reader;
  }

  /** Leaves the reading to the next generation. The descriptor stays open until this process ends, as that is what is waited for. */
  handOver(): void {
    this.#reader?.pause();
  }

  #say(message: FollowMessage): void {
    try {
      writeSync(this.fd, formatMessage(message));
    } catch (error) {
      log('the first process is gone: %s', error);
    }
  }
}
