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
import { holdClose } from './hold/close.js';
import { holdExit } from './hold/exit.js';
import { sayGoodbye } from './hold/goodbye.js';
import { holdKill } from './hold/kill.js';
import { lastSignal } from './hold/signals.js';
import { ProgramEnd } from './hold/program-end.js';

/** How often to look whether requests can still come. */
const LOOK_EVERY_MS = 50;

/** The App of a program that does not know of it: its servers come one by one, whenever they listen. */
export class AutoApp extends Grace {
  readonly #end: ProgramEnd;
  readonly #inherits: Promise<unknown>;
  readonly #served: ServedServer[] = [];
  #readying = false;

  constructor(options: GraceOptions) {
    const end = new ProgramEnd(() => readOptions(options).drainTimeout);
    super({ ...options, onShutdown: () => end.done() });
    this.#end = end;
    this.#inherits = this.listenAll([]);
    this.on('draining', ({ reason }) => this.#onDraining(reason));
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

  /** Serves one more server, which listens already or is held. */
  add(server: Server, listener: GraceListener): void {
    const served = new ServedServer(server, listener, {}, this.settings);
    this.#served.push(served);
    let onDrained = (): void => undefined;
    const drained = new Promise<void>((done) => {
      onDrained = done;
    });
    holdClose(server, { holds: () => this.#holds, drained, onClosed: () => listener.removeFile() });
    listener.serve(server, telling(served.service, onDrained)).catch((error: Error) => server.emit('error', error));
    void this.join(listener);
    void this.#inherits.then(() => {
      shareTickets(this, server, listener, listener.asked);
      if (served.adopts) this.arrivals.take(kindOf(HTTP1, listener.fd), (handle, details) => served.adopt(handle, details));
    });
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
    for (const { http } of this.#served) if (http !== undefined) yield* http.each();
  }

  /** From the drain on, this library ends connections and the process. The first process then stays for later generations. */
  get #holds(): boolean {
    return this.state === 'draining' || this.state === 'closed';
  }
}

/** A service that tells when it has drained. */
function telling(service: Service, onDrained: () => void): Service {
  return {
    connections: service.connections,
    ...(service.unit !== undefined && { unit: service.unit }),
    inFlight: () => service.inFlight?.() ?? 0,
    ...(service.adopt !== undefined && { adopt: (socket) => service.adopt!(socket) }),
    resume: () => service.resume(),
    begin: (...drain) => service.begin(...drain),
    finished: async () => {
      await service.finished();
      onDrained();
    },
    cutOff: () => {
      const count = service.cutOff();
      onDrained();
      return count;
    },
  };
}
