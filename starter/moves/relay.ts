import { type ChildProcess, type SendHandle } from 'node:child_process';
import { type Handle } from '../../lib/move/handle.js';
import { HandleChannel } from '../../lib/move/channel.js';
import {
  ANSWER,
  ASK,
  MOVE,
  MOVED,
  type Ask,
  type Move,
  type Moved,
  TAKES,
  THERE,
  type ToSuperdaemon,
  type ToWorker,
  WHERE,
} from '../../lib/move/messages.js';

/** A worker whose connections can move to another one. */
interface End {
  readonly channel: HandleChannel;
  /** The kinds of connections that it takes; undefined until it serves. */
  takes: readonly string[] | undefined;
}

/** A connection that one worker has sent, and another one has not yet taken. */
interface UnderWay {
  readonly from: End;
  readonly to: End;
  /** The number that the sender gave it. */
  readonly id: number;
}

/**
 * Passes connections on from a worker that exits to the one in its place. Their
 * descriptors arrive without being polled, so nothing is read from them here. The
 * sender keeps its own descriptor until the receiver has the connection.
 */
export class Relay<Worker> {
  readonly #successorOf: (worker: Worker) => Worker | undefined;
  readonly #ends = new Map<Worker, End>();
  readonly #underWay = new Map<number, UnderWay>();
  #last = 0;

  /** @param successorOf - the worker that is up in the place of this one; undefined if that is this one, or nobody. */
  constructor(successorOf: (worker: Worker) => Worker | undefined) {
    this.#successorOf = successorOf;
  }

  /** @param child - its process, with a channel; undefined if it was not started by this start_server. */
  follow(worker: Worker, child: ChildProcess | undefined): void {
    if (child?.channel === undefined || child.channel === null) return;
    child.channel.unref();
    const end: End = { channel: new HandleChannel(child), takes: undefined };
    this.#ends.set(worker, end);
    child.on('internalMessage', (message: ToSuperdaemon, handle?: Handle) => this.#onMessage(worker, end, message, handle));
    child.once('disconnect', () => this.#forget(worker, end)).once('exit', () => this.#forget(worker, end));
  }

  #onMessage(worker: Worker, from: End, message: ToSuperdaemon, handle: Handle | undefined): void {
    if (message.cmd === TAKES) from.takes = message.takes;
    if (message.cmd === WHERE) this.#say(from, { cmd: THERE, takes: this.#next(worker)?.takes });
    if (message.cmd === MOVE) this.#passOn(message, from, this.#next(worker), handle);
    if (message.cmd === MOVED) this.#settle(message);
    if (message.cmd === ASK) this.#ask(message, from);
    if (message.cmd === ANSWER) this.#lose(({ to }, id) => to === from && id <= message.id);
  }

  #next(worker: Worker): End | undefined {
    const next = this.#successorOf(worker);
    return next === undefined ? undefined : this.#ends.get(next);
  }

  #passOn(message: Move, from: End, to: End | undefined, handle: Handle | undefined): void {
    if (to === undefined || handle === undefined) {
      handle?.close();
      this.#say(from, { cmd: MOVED, id: message.id, taken: false });
      return;
    }
    const id = (this.#last += 1);
    this.#underWay.set(id, { from, to, id: message.id });
    to.channel.send({ ...message, id }, handle as unknown as SendHandle, (error) => {
      handle.close();
      if (error !== null) this.#settle({ cmd: MOVED, id, taken: false });
    });
  }

  #settle(message: Moved): void {
    const underWay = this.#underWay.get(message.id);
    if (underWay === undefined) return;
    this.#underWay.delete(message.id);
    this.#say(underWay.from, { ...message, id: underWay.id });
  }

  /** Whether what a worker has sent has arrived. What was lost on the way here is not under way. */
  #ask({ id }: Ask, from: End): void {
    const receivers = new Set<End>();
    for (const underWay of this.#underWay.values()) if (underWay.from === from) receivers.add(underWay.to);
    for (const receiver of receivers) this.#say(receiver, { cmd: ASK, id: this.#last });
    if (receivers.size === 0) this.#say(from, { cmd: ANSWER, id });
  }

  /** These have not arrived, and never will. */
  #lose(isLost: (underWay: UnderWay, id: number) => boolean): void {
    for (const [id, underWay] of this.#underWay) if (isLost(underWay, id)) this.#settle({ cmd: MOVED, id, taken: false });
  }

  /** A worker is gone: its predecessor serves what it has not taken. */
  #forget(worker: Worker, end: End): void {
    this.#ends.delete(worker);
    this.#lose(({ to }) => to === end);
    for (const [id, { from }] of this.#underWay) if (from === end) this.#underWay.delete(id);
  }

  #say(end: End, message: ToWorker): void {
    // An error means that the worker is gone.
    end.channel.send(message, undefined, () => undefined);
  }
}
