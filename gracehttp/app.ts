import { Server } from 'node:net';
import { type Claim } from '../lib/socket/claim.js';
import { GraceError, show } from '../lib/errors.js';
import { Grace } from '../lib/grace.js';
import { type GraceOptions } from '../lib/options.js';
import { type ServerEntry, entryOf } from './entry.js';
import { onFatalError } from './accept-errors.js';
import { type History, HistoryKeeper, NO_HISTORY } from './totals.js';
import { LimitHandoff } from './limit/limit-handoff.js';
import { reloadAll, reloadOnSignal } from './tls/reload.js';
import { ServedServer, speaksHttp } from './served-server.js';
import { checkThrottle } from './limit/connection-limit.js';
import { exportTickets, hasOwnTickets, importTickets } from './tls/tickets.js';

export { type ServerEntry } from './entry.js';

/** All times are in milliseconds; see {@link GraceOptions} for each. */
export type AppOptions = GraceOptions;

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
  #history: HistoryKeeper | undefined;

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

  /** What happened in this process and those before it. */
  get history(): History {
    return this.#history?.now ?? NO_HISTORY;
  }

  /**
   * Lets every server accept, on an inherited socket or a new one, and says so to
   * the process that hands over. All or none: where one fails nothing is left bound.
   *
   * An error of a server later on, after which it can accept no more, drains them
   * all, and is what {@link wait} rejects with.
   *
   * @param servers - entries, or servers that createServer() made.
   * @returns this.
   * @throws GraceError `SERVER_INVALID` for no server, one that is none, one that
   * listens already or is passed twice; `STATE_INVALID` for a second call;
   * `ADDRESS_*`, `NOT_A_SOCKET`, `SOCKET_NOT_PASSED`, `INHERITANCE_INVALID`,
   * `OPTION_INVALID`, `PID_FILE`.
   */
  async serve(...servers: readonly (ServerEntry | Server)[]): Promise<this> {
    if (this.state !== 'starting' || this.#called) {
      throw new GraceError('STATE_INVALID', `serve() was called twice: this process is ${this.state}`, {
        subject: 'state',
        value: this.state,
      });
    }
    this.#called = true;
    try {
      const entries = servers.map(entryOf);
      checkEntries(entries);
      const listeners = await this.listenAll(entries.map(toClaim));
      this.#servers = entries.map(
        (entry, index) => new ServedServer(entry.server, listeners[index]!, entry, this.settings.idleTimeout),
      );
      this.#history = new HistoryKeeper(this);
      new LimitHandoff(this, this.#servers);
      for (const { server, listener, service } of this.#servers) {
        this.#shareTickets(server, listener);
        await listener.serve(server, service);
        onFatalError(server, (error) => this.fail(error));
      }
      await this.ready();
      reloadOnSignal(this, entries.map(({ server }) => server));
    } catch (error) {
      this.abandon();
      throw error;
    }
    return this;
  }

  /**
   * Reads the certificates again that {@link createServer} has from files, as
   * SIGHUP does: for connections that come from now on.
   *
   * @returns what failed; such a server goes on with the certificate it has.
   */
  reload(): readonly GraceError[] {
    return reloadAll(this, this.#servers.map(({ server }) => server));
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
 * `new App().serve(...servers)`.
 *
 * @example
 * await serve(
 *   { server: http.createServer(app), listen: ':8080', name: 'public' },
 *   { server: http.createServer(admin), listen: 'unix:/run/app/admin.sock', mode: 0o660 },
 *   createServer(':9090', handler),
 * );
 */
export async function serve(...servers: readonly (ServerEntry | Server)[]): Promise<App> {
  return new App().serve(...servers);
}

function toClaim({ listen, name, mode, backlog }: ServerEntry): Claim {
  return { address: listen, name, mode, backlog };
}

function checkEntries(entries: readonly ServerEntry[]): void {
  if (entries.length === 0) throw invalid('serve() was called without a server', 'servers', entries.length);
  const seen = new Set<Server>();
  for (const [index, entry] of entries.entries()) {
    const subject = `servers[${index}]`;
    if ((entry as unknown) instanceof Server) {
      const expected = '{ server, listen }, or a server that createServer(address, handler) made';
      throw invalid(`${subject} is a server that has no address, expected ${expected}`, subject, entry);
    }
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
