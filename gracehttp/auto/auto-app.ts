import { type Server } from 'node:net';
import { type DrainReason } from '../../lib/events.js';
import { Grace } from '../../lib/grace.js';
import { kindOf } from '../../lib/move/sender.js';
import { type GraceOptions, readOptions } from '../../lib/options.js';
import { type GraceListener } from '../../lib/socket/listener.js';
import { type Service } from '../../lib/socket/service.js';
import { type HttpConnection } from '../http/http-connection.js';
import { HTTP1 } from '../http/move-connections.js';
import { ServedServer } from '../served-server.js';
import { shareTickets } from '../tls/tickets.js';
import { keepProgramSoon } from './compiled/keep.js';
import { holdClose } from './hold/close.js';
import { tellingWhenDrained } from './hold/drained-service.js';
import { holdExit } from './hold/exit.js';
import { sayGoodbye } from './hold/goodbye.js';
import { holdKill } from './hold/kill.js';
import { lastSignal } from './hold/signals.js';
import { ProgramEnd } from './hold/program-end.js';

/** How often to look whether requests can still come. */
const LOOK_EVERY_MS = 50;

/** What follows a server of the program for as long as the process lives. */
interface Followed {
  readonly served: ServedServer;
  readonly service: Service;
}

interface AutoServer extends Followed {
  /** The newest one. */
  readonly listener: GraceListener;
}

/** The App of a program that does not know of it: its servers come one by one, whenever they listen. */
export class AutoApp extends Grace {
  readonly #end: ProgramEnd;
  readonly #inherits: Promise<unknown>;
  readonly #served = new Map<Server, AutoServer>();
  #readying = false;

  constructor(options: GraceOptions) {
    const end = new ProgramEnd(() => readOptions(options).drainTimeout);
    super({ ...options, onShutdown: () => end.done() });
    this.#end = end;
    this.#inherits = this.listenAll([]);
    this.on('draining', ({ reason }) => this.#onDraining(reason));
    // start_server does the restarts of its workers.
    this.once('ready', () => this.superdaemon === undefined && keepProgramSoon(this.generation));
    holdExit({
      holds: () => this.#holds,
      onAsked: (code) => end.ask(code),
      codeFor: (code) => end.codeFor(code, this.reason),
    });
    // In the first process it would be passed on, and stop the service.
    holdKill({
      holds: (signal) => this.#holds && this.settings.signals.stop.includes(signal),
      onAsked: () => end.ask(0),
    });
  }

  /** Serves one more server, which listens already or is held; or one that was closed, and listens again. */
  add(server: Server, listener: GraceListener): void {
    const before = this.#served.get(server);
    const { served, service } = before ?? this.#follow(server, listener);
    this.#served.set(server, { served, service, listener });
    listener.serve(server, service).catch((error: Error) => server.emit('error', error));
    void this.join(listener, before?.listener);
    void this.#inherits.then(() => {
      shareTickets(this, server, listener, listener.asked);
      if (served.adopts) this.arrivals.take(kindOf(HTTP1, listener.fd), (handle, details) => served.adopt(handle, details));
    });
  }

  #follow(server: Server, listener: GraceListener): Followed {
    const served = new ServedServer(server, listener, {}, this.settings);
    const { service, drained } = tellingWhenDrained(served.service);
    holdClose(server, { holds: () => this.#holds, drained, onClosed: () => this.#served.get(server)?.listener.removeFile() });
    return { served, service };
  }

  /** Takes over, or just serves. A failure ends the program, as it would without a predecessor. */
  async begin(): Promise<void> {
    if (this.#readying || this.state !== 'starting') return;
    this.#readying = true;
    try {
      await this.#inherits;
      await this.ready();
    } catch (error) {
      this.abandon();
      setImmediate(() => {
        throw error;
      });
    }
  }

  #onDraining(reason: DrainReason): void {
    const [usual = 'SIGTERM'] = this.settings.signals.stop;
    const signal = (reason === 'stop' ? lastSignal() : undefined) ?? usual;
    this.#end.begin(signal);
    const proven = reason === 'handover' ? this.probation.proven : Promise.resolve(true);
    // Not before: what the program's handlers do cannot be taken back if this process has to serve again.
    const end = (): void => void proven.then((isOver) => isOver && this.#end.run(signal));
    const leave = (): void => this.#onLeaving(end);
    const { signal: leaving, closing } = this;
    // A client that is told to leave earlier would come back to this process.
    leaving.addEventListener('abort', leave, { once: true });
    // What the program does to end connections that nobody else can end has to begin now.
    closing.addEventListener('abort', end, { once: true });
    this.once('restart-reverted', () => {
      leaving.removeEventListener('abort', leave);
      closing.removeEventListener('abort', end);
    });
  }

  /** The program's handlers run when no request can come: frameworks answer 503, or close their database, as soon as they begin to close. */
  #onLeaving(end: () => void): void {
    const stopGoodbye = sayGoodbye(() => this.#connections());
    const timer = setInterval(() => {
      for (const { upgraded } of this.#connections()) if (!upgraded) return;
      end();
    }, LOOK_EVERY_MS);
    const stop = (): void => {
      stopGoodbye();
      clearInterval(timer);
    };
    this.once('closed', stop).once('restart-reverted', stop);
  }

  *#connections(): IterableIterator<HttpConnection> {
    for (const { served } of this.#served.values()) if (served.http !== undefined) yield* served.http.each();
  }

  /** From the drain on, this library ends connections and the process. The first process then stays for later generations. */
  get #holds(): boolean {
    return this.state === 'draining' || this.state === 'closed';
  }
}
