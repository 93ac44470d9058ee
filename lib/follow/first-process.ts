import { type Socket } from 'node:net';
import { readLines } from '../handoff/lines.js';
import { logger } from '../log.js';
import { onSignals } from '../on-signals.js';
import { type SelfSent } from '../signals/self-sent.js';
import { formatFollowMessage, parseGenerationMessage } from './messages.js';

const log = logger('first-process');

/** Exit code for a last generation that did not report one and is not our child, so that the kernel does not tell us. */
const UNKNOWN_CODE = 1;

/** The first successor, as the first process sees it. */
export interface FirstSuccessor {
  readonly pid: number;
  /** Its exit code, 128 + n after a signal. */
  readonly exited: Promise<number>;
}

/**
 * The first process after it has handed over, with the option `follow`. It stays
 * because another program watches its pid: it passes signals on to the generation
 * that serves, and learns the exit code of the last one. Each generation inherits
 * one end of a socket pair; end of file at the other end means that none is left.
 */
export class FirstProcess {
  /** The exit code of the last generation, when it is gone. */
  readonly ended: Promise<number>;
  readonly #pipe: Socket;
  readonly #codes = new Map<number, number>();
  readonly #stop: () => void;
  #newest: number;

  constructor(pipe: Socket, successor: FirstSuccessor, signals: readonly NodeJS.Signals[], selfSent: SelfSent) {
    this.#pipe = pipe;
    this.#newest = successor.pid;
    this.#stop = onSignals(signals, (signal) => this.#forward(signal, selfSent.is(signal)));
    readLines(pipe, (line) => this.#onLine(line));
    pipe.on('error', (error) => log('%s', error.message));
    this.ended = new Promise((done) => {
      pipe.once('close', () => {
        this.#stop();
        done(this.#codeOfNewest(successor));
      });
    });
  }

  /** This process serves again: the signals are for itself. The end of the pipe would mean to the successor that the service stops. */
  leave(): void {
    this.#stop();
    this.#pipe.unref();
  }

  #forward(signal: NodeJS.Signals, self: boolean): void {
    log('%s goes to process %d', signal, this.#newest);
    if (this.#pipe.writable) this.#pipe.write(formatFollowMessage({ type: 'signal', signal, self }));
  }

  #onLine(line: string): void {
    const message = parseGenerationMessage(line);
    if (message?.type === 'serving') this.#newest = message.pid;
    if (message?.type === 'exit') this.#codes.set(message.pid, message.code);
  }

  #codeOfNewest({ pid, exited }: FirstSuccessor): number | Promise<number> {
    const reported = this.#codes.get(this.#newest);
    if (reported !== undefined) return reported;
    return this.#newest === pid ? exited : UNKNOWN_CODE;
  }
}
