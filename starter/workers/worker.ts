import { type ChildProcess, spawn } from 'node:child_process';
import { type Duplex } from 'node:stream';
import { messageOf } from '../../lib/errors.js';
import { formatAddress } from '../../lib/address/address.js';
import { readLines } from '../../lib/handoff/lines.js';
import { HANDOFF, formatHandoff } from '../../lib/handoff/handoff-variable.js';
import { type SuccessorMessage, formatMessage, parseSuccessorMessage } from '../../lib/handoff/messages.js';
import { type HeldSocket } from '../sockets/held-socket.js';
import { type Layout } from '../sockets/descriptors.js';
import { waitStatus } from './wait-status.js';
import { workerCommand } from './worker-command.js';

/** Between the SIGTERM to a worker that was not ready in time and its SIGKILL. */
const KILL_AFTER_MS = 2_000;
/** How long a worker that said that it would say when it is ready may take, where `--ready-timeout` says nothing. */
const READY_WITHIN_MS = 60_000;
/** exec(2) failed, as Server::Starter's child reports it. */
const NOT_STARTED = 255 << 8;

export interface WorkerPlan {
  readonly exec: readonly string[];
  readonly directory: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly layout: Layout<HeldSocket>;
  readonly backlog: number;
  readonly generation: number;
  /** 1 to `--workers`. */
  readonly number: number;
  /** Where its stdout and stderr go; undefined for those of this process. */
  readonly output: number | undefined;
  /** Milliseconds after which a worker that says nothing is up. */
  readonly interval: number;
  /** Milliseconds within which it has to say that it is ready; undefined where it need not. */
  readonly readyTimeout: number | undefined;
}

/** One process of the server program. */
export class Worker {
  readonly generation: number;
  readonly number: number;
  readonly startedAt = Date.now();
  /** Fulfils with true when it is up, with false when it ended before. */
  readonly up: Promise<boolean>;
  /** Fulfils with the wait status. */
  readonly exited: Promise<number>;
  /** Why it could not be started at all. */
  failure: string | undefined;
  readonly #sent = new Set<NodeJS.Signals>();
  readonly #process: ChildProcess | undefined;
  #isUp = false;

  constructor(plan: WorkerPlan) {
    this.generation = plan.generation;
    this.number = plan.number;
    const nonce = makeNonce();
    const child = this.#spawn(plan, nonce);
    this.#process = child;
    this.exited = new Promise((done) => {
      if (child === undefined) return done(NOT_STARTED);
      child.once('exit', (code, signal) => done(waitStatus(code, signal)));
      child.once('error', (error) => {
        this.failure = error.message;
        if (child.pid === undefined) done(NOT_STARTED);
      });
    });
    const pipe = child?.stdio[plan.layout.free] as Duplex | undefined;
    if (pipe !== undefined) this.#greet(pipe, nonce);
    this.up = this.#waitUntilUp(plan, pipe, nonce);
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Whether it was told to go. */
  get leaving(): boolean {
    return this.#sent.size > 0;
  }

  /** Sends a signal, once: many programs take the second of its kind for the wish to leave at once. */
  signalOnce(signal: NodeJS.Signals): void {
    if (this.#sent.has(signal)) return;
    this.#sent.add(signal);
    this.signal(signal);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  #spawn(plan: WorkerPlan, nonce: string): ChildProcess | undefined {
    const { layout, backlog, generation, directory, output = 'inherit' } = plan;
    const env = {
      ...plan.env,
      ...(directory === undefined ? {} : { PWD: directory }),
      ...layout.variables,
      ...('LISTEN_FDS' in layout.variables && { LISTEN_PID: '' }),
      SERVER_STARTER_GENERATION: String(generation),
      SERVER_STARTER_WORKER: String(plan.number),
      [HANDOFF]: formatHandoff({
        pid: process.pid,
        generation,
        pipe: layout.free,
        nonce,
        sockets: handedOver(layout, backlog),
        superdaemon: true,
      }),
    };
    const { file, args } = workerCommand(plan.exec, env, layout.stdin);
    const extra = layout.extra.map((socket) => socket?.fd ?? 'ignore');
    try {
      return spawn(file, args, {
        cwd: directory,
        env,
        stdio: [layout.stdin === undefined ? 'inherit' : 'ignore', output, output, ...extra, 'pipe'],
      });
    } catch (error) {
      this.failure = messageOf(error);
      return undefined;
    }
  }

  /** The pipe stays open as long as the worker lives: so it knows that its superdaemon does. */
  #greet(pipe: Duplex, nonce: string): void {
    // The end of the worker is what there is to know, and that is told.
    pipe.on('error', () => undefined);
    pipe.write(formatMessage({ type: 'hello', nonce, state: {} }));
    void this.exited.then(() => pipe.destroy());
  }

  #waitUntilUp({ interval, readyTimeout }: WorkerPlan, pipe: Duplex | undefined, nonce: string): Promise<boolean> {
    return new Promise((done) => {
      let timer: NodeJS.Timeout;
      let stopReading = (): unknown => undefined;
      const settle = (up: boolean): void => {
        clearTimeout(timer);
        stopReading();
        pipe?.resume();
        this.#isUp ||= up;
        done(up);
      };
      const expectReady = (milliseconds: number): void => {
        timer = setTimeout(() => this.#giveUp(milliseconds), milliseconds);
      };
      const onMessage = (message: SuccessorMessage | undefined): void => {
        if (message?.type === 'ready' && message.nonce === nonce && !this.leaving) settle(true);
        if (message?.type !== 'starting' || message.nonce !== nonce || readyTimeout !== undefined) return;
        clearTimeout(timer);
        expectReady(READY_WITHIN_MS);
      };
      if (readyTimeout === undefined) timer = setTimeout(() => settle(true), interval);
      else expectReady(readyTimeout);
      if (pipe !== undefined) stopReading = readLines(pipe, (line) => onMessage(parseSuccessorMessage(line)));
      void this.exited.then(() => settle(false));
    });
  }

  #giveUp(milliseconds: number): void {
    this.failure = `was not ready within ${milliseconds / 1000} seconds`;
    this.signalOnce('SIGTERM');
    const kill = setTimeout(() => this.signal('SIGKILL'), KILL_AFTER_MS);
    void this.exited.then(() => clearTimeout(kill));
  }
}

/** It tells a handoff that is meant from one that leaked. No secret, so node:crypto's 2 MiB are saved. */
function makeNonce(): string {
  return `${process.pid}-${process.hrtime.bigint().toString(36)}-${Math.random().toString(36).slice(2)}`;
}

function handedOver({ fds }: Layout<HeldSocket>, backlog: number): Parameters<typeof formatHandoff>[0]['sockets'] {
  return [...fds]
    .filter(([{ kind }]) => kind === 'stream')
    .map(([{ name, bound }, fd]) => {
      return { fd, name, asked: formatAddress(bound), bound, backlog, origin: 'server-starter', file: undefined };
    });
}
