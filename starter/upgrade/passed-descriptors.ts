import { type Duplex } from 'node:stream';
import { type LogHandover } from '../log/log-output.js';
import { identify } from '../process/watched-process.js';
import { type HeldSocket } from '../sockets/held-socket.js';
import { type Snapshot } from '../workers/snapshot.js';
import { type Worker } from '../workers/worker.js';
import { type Hello, type PassedWorker, VERSION, type Yours } from './messages.js';

const FIRST_FD = 3;

/** What one start_server has that the next one needs. */
export interface Belongings {
  readonly sockets: readonly HeldSocket[];
  readonly lock: number | undefined;
  readonly log: LogHandover | undefined;
  readonly workers: readonly Worker[];
}

/** The descriptors for the new start_server, from 3 on, and what they are. */
export class PassedDescriptors {
  /** As `stdio` of the new process takes them. */
  readonly list: number[] = [];
  readonly hello: Hello;
  readonly #pipes = new Map<Worker, number>();

  constructor({ sockets, lock, log, workers }: Belongings) {
    const passed = sockets.map(({ fd, label, name, target, kind, bound, file }) => ({
      ...{ label, name, target, kind, bound, file },
      fd: this.#add(fd),
    }));
    const pipe = log && Object.fromEntries(Object.entries(log.pipe).map(([name, fd]) => [name, this.#add(fd as number)]));
    this.hello = {
      type: 'hello',
      version: VERSION,
      pid: process.pid,
      sockets: passed,
      lock: lock === undefined ? undefined : this.#add(lock),
      log: log && { pipe: pipe as unknown as LogHandover['pipe'], process: log.process },
    };
    for (const worker of workers) {
      const fd = descriptorOf(worker.pipe);
      if (fd !== undefined) this.#pipes.set(worker, this.#add(fd));
    }
  }

  /** What is left to the new process when it is ready. */
  yours({ generation, counted, restarts, queued, workers }: Snapshot): Yours {
    const passed = workers.map((worker) => this.#describe(worker)).filter((worker) => worker !== undefined);
    return { type: 'yours', generation, counted, restarts, queued, workers: passed };
  }

  #describe(worker: Worker): PassedWorker | undefined {
    const identity = worker.pid === undefined ? undefined : identify(worker.pid);
    if (identity === undefined) return undefined;
    const { generation, number, startedAt, nonce, sent, drainingFor } = worker;
    return { ...identity, generation, number, startedAt, nonce, sent, drainingFor, pipe: this.#pipes.get(worker) };
  }

  #add(fd: number): number {
    this.list.push(fd);
    return FIRST_FD + this.list.length - 1;
  }
}

/** The descriptor of a pipe that is open. */
function descriptorOf(pipe: Duplex | undefined): number | undefined {
  const { _handle: handle } = (pipe ?? {}) as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}
