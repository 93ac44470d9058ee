import { type Socket } from 'node:net';
import { readLines } from '../handoff/lines.js';
import { logger } from '../log.js';
import { formatMessage, parseFollowMessage } from '../handoff/protocol.js';
import { onSignals } from '../signals.js';

const log = logger('follower');

/** For a generation that ended without a word, and was not our child, so that the kernel does not tell us how. */
const UNKNOWN_END = 1;

/** The first successor, as the process that waits for the last one sees it. */
export interface FirstSuccessor {
  readonly pid: number;
  /** The exit code, by which a shell would report it. */
  readonly exited: Promise<number>;
}

/**
 * What the first process is, after it has handed over, where somebody watches
 * its pid: it passes signals on to the generation that serves, and knows how the
 * last one ended. Each generation inherits one end of a pair of sockets; when
 * the other one reads an end of file, none is left.
 */
export class Follower {
  /** The exit code of the last generation, when it is gone. */
  readonly ended: Promise<number>;
  readonly #pipe: Socket;
  readonly #codes = new Map<number, number>();
  #newest: number;

  constructor(pipe: Socket, successor: FirstSuccessor, signals: Iterable<NodeJS.Signals>) {
    this.#pipe = pipe;
    this.#newest = successor.pid;
    const stop = onSignals([...new Set(signals)], (signal) => this.#forward(signal));
    readLines(pipe, (line) => this.#onLine(line));
    pipe.on('error', (error) => log('%s', error.message));
    this.ended = new Promise((done) => {
      pipe.once('close', () => {
        stop();
        done(this.#codeOfNewest(successor));
      });
    });
  }

  #forward(signal: NodeJS.Signals): void {
    log('%s goes to process %d', signal, this.#newest);
    if (this.#pipe.writable) this.#pipe.write(formatMessage({ type: 'signal', signal }));
  }

  #onLine(line: string): void {
    const message = parseFollowMessage(line);
    if (message?.type === 'serving') this.#newest = message.pid;
    if (message?.type === 'exit') this.#codes.set(message.pid, message.code);
  }

  #codeOfNewest({ pid, exited }: FirstSuccessor): number | Promise<number> {
    const said = this.#codes.get(this.#newest);
    if (said !== undefined) return said;
    return this.#newest === pid ? exited : UNKNOWN_END;
  }
}
