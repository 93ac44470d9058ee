import { type Server } from 'node:net';
import { Grace } from '../../lib/grace.js';
import { kindOf } from '../../lib/move/sender.js';
import { type GraceOptions, readOptions } from '../../lib/options.js';
import { type GraceListener } from '../../lib/socket/listener.js';
import { type Service } from '../../lib/socket/service.js';
import { HTTP1 } from '../http/move-connections.js';
import { ServedServer } from '../served-server.js';
import { shareTickets } from '../tls/tickets.js';
import { holdClose } from './hold/close.js';
import { holdExit } from './hold/exit.js';
import { lastSignal } from './hold/signals.js';
import { ProgramEnd } from './hold/program-end.js';

/** The App of a program that does not know of it: its servers come one by one, whenever they listen. */
export class AutoApp extends Grace {
  readonly #inherits: Promise<unknown>;
  #readying = false;

  constructor(options: GraceOptions) {
    const end = new ProgramEnd(() => readOptions(options).drainTimeout);
    super({ ...options, onShutdown: () => end.done() });
    this.#inherits = this.listenAll([]);
    this.on('draining', ({ reason }) => {
      end.begin();
      const [usual = 'SIGTERM'] = this.settings.signals.stop;
      const signal = (reason === 'stop' ? lastSignal() : undefined) ?? usual;
      // A client that is told to leave earlier would come back to this process.
      const proven = reason === 'handover' ? this.probation.proven : Promise.resolve(true);
      this.signal.addEventListener('abort', () => void proven.then((isOver) => isOver && end.run(signal)), { once: true });
    });
    holdExit({
      holds: () => this.#holds,
      onAsked: (code) => end.ask(code),
      codeFor: (code) => end.codeFor(code, this.reason),
    });
  }

  /** Serves one more server, which listens already or is held. */
  add(server: Server, listener: GraceListener): void {
    const served = new ServedServer(server, listener, {}, this.settings);
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
