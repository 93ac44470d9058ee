import { Server } from 'node:net';
import { type Claim } from '../lib/claim.js';
import { GraceError, show } from '../lib/errors.js';
import { Grace } from '../lib/grace.js';
import { type GraceOptions } from '../lib/options.js';
import { LimitHandoff } from './limit-handoff.js';
import { ServedServer, speaksHttp } from './served.js';
import { type ThrottleOptions, checkThrottle } from './throttle.js';
import { exportTickets, hasOwnTickets, importTickets } from './tickets.js';

/** All times are in milliseconds; see {@link GraceOptions} for each. */
export type AppOptions = GraceOptions;

/** A server and where it is to serve. */
export interface ServerEntry extends ThrottleOptions {
  /** An `http.Server`, `https.Server`, HTTP/2 server, or any other `net.Server`; not listening yet. */
  readonly server: Server;
  /** The address, see {@link parseAddress}: `:8080`, `127.0.0.1:8080`, `unix:/run/app.sock`, `systemd:web`, … */
  readonly listen: string | number;
  /** What messages call it, and the `FileDescriptorName=` it goes by under systemd. */
  readonly name?: string;
  /** Permissions of a unix socket's file, for example 0o660. Default: what the umask leaves. */
  readonly mode?: number;
  /** Length of the kernel's queue. Default 511; for a socket that somebody else bound the kernel's maximum. */
  readonly backlog?: number;
}

/**
 * Servers that live and end together, and are handed over together.
 *
 * @example
 * const app = new App({ drainTimeout: 10_000, pidFile: '/run/app.pid' });
 * app.on('restart-failed', (error) => console.error(error.exitCode, error.stderr));
 * await app.serve({ server: http.createServer(handler), listen: ':8080' });
 */
export class App extends Grace {
  #servers: readonly ServedServer[] = [];
  #called = false;

  constructor(options: AppOptions = {}) {
    super(options);
  }

  /** The servers in the order they were passed to {@link serve}. */
  get servers(): readonly ServedServer[] {
    return this.#servers;
  }

  /** Where they serve, port 0 resolved: `[::]:8080`, `127.0.0.1:80`, `unix:/path`. */
  get addresses(): readonly string[] {
    return this.#servers.map(({ listener }) => listener.address);
  }

  /**
   * Lets every server accept, on an inherited socket or a new one, and says so to
   * the process that hands over. All or none: where one fails nothing is left bound.
   *
   * @returns this.
   * @throws GraceError `SERVER_INVALID` for no server, one that is none, one that
   * listens already or is passed twice; `STATE_INVALID` for a second call;
   * `ADDRESS_*`, `NOT_A_SOCKET`, `SOCKET_NOT_PASSED`, `INHERITANCE_INVALID`,
   * `OPTION_INVALID`, `PID_FILE`.
   */
  async serve(...entries: readonly ServerEntry[]): Promise<this> {
    if (this.state !== 'starting' || this.#called) {
      throw new GraceError('STATE_INVALID', `serve() was called twice: this process is ${this.state}`, {
        subject: 'state',
        value: this.state,
      });
    }
    this.#called = true;
    try {
      checkEntries(entries);
      const listeners = await this.listenAll(entries.map(toClaim));
      this.#servers = entries.map(
        (entry, index) => new ServedServer(entry.server, listeners[index]!, entry, this.settings.idleTimeout),
      );
      new LimitHandoff(this, this.#servers);
      for (const { server, listener, service } of this.#servers) {
        this.#shareTickets(server, listener);
        await listener.serve(server, service);
      }
      await this.ready();
    } catch (error) {
      this.abandon();
      throw error;
    }
    return this;
  }

  #shareTickets(server: Server, { asked, name }: ServedServer['listener']): void {
    if (!hasOwnTickets(server)) return;
    const key = `tickets ${asked} ${name ?? ''}`;
    importTickets(server, this.carried(key));
    this.carry(key, () => exportTickets(server));
  }
}

/**
 * Serves several servers in one process: go.grace's `gracehttp.Serve`. Short for
 * `new App().serve(...entries)`.
 *
 * @example
 * await serve(
 *   { server: http.createServer(app), listen: ':8080', name: 'public' },
 *   { server: http.createServer(admin), listen: 'unix:/run/app/admin.sock', mode: 0o660 },
 * );
 */
export async function serve(...entries: readonly ServerEntry[]): Promise<App> {
  return new App().serve(...entries);
}

function toClaim({ listen, name, mode, backlog }: ServerEntry): Claim {
  return { address: listen, name, mode, backlog };
}

function checkEntries(entries: readonly ServerEntry[]): void {
  if (entries.length === 0) throw invalid('serve() was called without a server', 'servers', entries.length);
  const seen = new Set<Server>();
  for (const [index, entry] of entries.entries()) {
    const subject = `servers[${index}]`;
    const { server, listen, name } = (entry ?? {}) as Partial<ServerEntry>;
    if (!(server instanceof Server)) {
      throw invalid(`${subject}.server is ${show(server)}, expected an http, https or net server`, subject, server);
    }
    if (typeof listen !== 'string' && typeof listen !== 'number') {
      throw invalid(`${subject}.listen is ${show(listen)}, expected an address`, `${subject}.listen`, listen);
    }
    if (name !== undefined && typeof name !== 'string') {
      throw invalid(`${subject}.name is ${show(name)}, expected a string`, `${subject}.name`, name);
    }
    const what = `${subject} (${listen})`;
    if (server.listening) throw invalid(`${what} listens already, on ${JSON.stringify(server.address())}`, subject, listen);
    if (seen.has(server)) throw invalid(`${what} is a server that was passed before`, subject, listen);
    checkThrottle(entry, speaksHttp(server));
    seen.add(server);
  }
}

function invalid(message: string, subject: string, value: unknown): GraceError {
  return new GraceError('SERVER_INVALID', message, { subject, value });
}
