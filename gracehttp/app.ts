import { type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { type Writable } from 'node:stream';
import { atCall } from '../lib/at-call.js';
import { refuseUnknown } from '../lib/check/names.js';
import { nearest } from '../lib/check/nearest.js';
import { GraceError, show } from '../lib/errors.js';
import { socketKeys } from './entry/socket-keys.js';
import { Grace } from '../lib/grace.js';
import { checkKept } from '../lib/move/adopters.js';
import { keepConnection } from '../lib/move/kept.js';
import { kindOf } from '../lib/move/sender.js';
import { type GraceOptions } from '../lib/options.js';
import { warnOfOtherHandlers } from '../lib/signals/other-handlers.js';
import { type Claim } from '../lib/socket/claim.js';
import { onFatalError } from './accept-errors.js';
import { readEntries } from './entry/check-entries.js';
import { withGoodbye } from './entry/goodbye.js';
import { APP_OPTIONS, IN_CREATE_SERVER, IN_ENTRY } from './entry/option-names.js';
import { type Servable, type ServerEntry } from './entry/server-entry.js';
import { isResponse } from './move/keep-response.js';
import { CHUNKED, MovedResponse } from './move/moved-response.js';
import { HTTP1 } from './http/move-connections.js';
import { LimitHandoff } from './limit/limit-handoff.js';
import { ServedServer } from './served-server.js';
import { refuseForgedMarks } from './warmup/mark.js';
import { warmUp } from './warmup/warm-up.js';
import { type Warmup, type WarmupSettings, readWarmup } from './warmup/warmup-options.js';
import { reloadAll, reloadOnSignal } from './tls/reload.js';
import { shareTickets } from './tls/tickets.js';
import { NO_TOTALS, type Totals, TotalsCounter } from './totals.js';

/** All times are in milliseconds; see {@link GraceOptions} for each. */
export interface AppOptions extends GraceOptions {
  /**
   * Requests that a successor sends to itself before it is ready, so that its first
   * clients do not wait for cold code: paths, a function, or {@link WarmupOptions}.
   * They have the header `ts-grace-warmup: 1`. The first process does no warm-up. Default: none.
   *
   * @example
   * warmup: { paths: ['/', '/api/items'], required: true }
   */
  readonly warmup?: Warmup;
}

/**
 * Servers that start, are handed over and stop together.
 *
 * @example
 * import { App } from 'ts-grace/gracehttp';
 *
 * const app = new App({ drainTimeout: 10_000, pidFile: 'app.pid' });
 * app.on('restart-failed', (error) => console.error(error.exitCode, error.stderr));
 * await app.serve({ handler: (request, response) => response.end('hello\n'), listen: ':8080' });
 * console.log(app.state); // serving
 */
export class App extends Grace {
  #servers: readonly ServedServer[] = [];
  #called = false;
  #totals: TotalsCounter | undefined;
  readonly #warmup: WarmupSettings | undefined;

  constructor(options: AppOptions = {}) {
    super(optionsOfGrace(options));
    if (options.warmup !== undefined) this.#warmup = readWarmup(options.warmup);
    this.adopters.frame(CHUNKED, (socket, head) => {
      if (head.length > 0) socket.unshift(head);
      return new MovedResponse(socket, () => this.#serverOf(socket)?.resumeHttp(socket));
    });
  }

  /** The servers, in the order in which they were passed to {@link serve}. */
  get servers(): readonly ServedServer[] {
    return this.#servers;
  }

  /** The addresses that the servers listen on, port 0 resolved: `[::]:8080`, `127.0.0.1:80`, `unix:/path`. */
  get addresses(): readonly string[] {
    return this.#servers.map(({ listener }) => listener.address);
  }

  /**
   * One server by its name or its address.
   *
   * @throws GraceError `SERVER_INVALID` if there is no such server.
   */
  server(name: string): ServedServer {
    const found = this.#servers.find(({ listener }) => [listener.name, listener.address, listener.asked].includes(name));
    if (found !== undefined) return found;
    const names = this.#servers.map(({ listener }) => listener.name ?? listener.address);
    const close = nearest(String(name), names);
    const expected = close === undefined ? `expected one of: ${names.join(', ')}` : `did you mean ${close}?`;
    const message = names.length === 0 ? 'this app serves no server yet' : `there is no server ${show(name)}; ${expected}`;
    throw new GraceError('SERVER_INVALID', message, { subject: 'name', value: name });
  }

  /** Restarts and drains of this process and all generations before it. */
  get totals(): Totals {
    return this.#totals?.now ?? NO_TOTALS;
  }

  /**
   * Makes every server accept connections, on an inherited socket or a new one.
   * In a successor they accept when the predecessor was told that this process is
   * ready. If one server fails, nothing is left bound.
   *
   * If a server fails later and can accept no more, all servers drain, and
   * {@link wait} rejects with its error.
   *
   * @param servers - entries `{ server, listen }` or `{ handler, listen }`, or servers made by createServer().
   * @returns this.
   * @throws GraceError `SERVER_INVALID` for no server, something that is not a
   * server, a server that is already listening or was passed twice;
   * `STATE_INVALID` for a second call; `ADDRESS_*`, `NOT_A_SOCKET`,
   * `SOCKET_NOT_PASSED`, `INHERITANCE_INVALID`, `OPTION_INVALID`, `PID_FILE`, `WARMUP_FAILED`.
   */
  async serve(...servers: readonly Servable[]): Promise<this> {
    if (this.state !== 'starting' || this.#called) {
      throw new GraceError('STATE_INVALID', `serve() was called twice: this process is ${this.state}`, {
        subject: 'state',
        value: this.state,
      });
    }
    this.#called = true;
    try {
      const entries = readEntries(servers);
      const listeners = await this.listenAll(entries.map(toClaim));
      this.#servers = entries.map((entry, index) => new ServedServer(entry.server, listeners[index]!, entry, this.settings));
      this.#totals = new TotalsCounter(this);
      const keys = socketKeys(listeners);
      new LimitHandoff(this, this.#servers, keys);
      for (const [index, { server, listener, service }] of this.#servers.entries()) {
        const { onDrain } = entries[index]!;
        shareTickets(this, server, listener, keys[index]!);
        await listener.serve(server, onDrain === undefined ? service : withGoodbye(service, () => onDrain(server, this.reason!)));
        onFatalError(server, (error) => this.fail(error));
      }
      for (const served of this.#servers) {
        if (served.adopts) this.arrivals.take(kindOf(HTTP1, served.listener.fd), (handle, details) => served.adopt(handle, details));
      }
      // Before the pid file names this process, as SIGHUP ends a process without a handler.
      reloadOnSignal(
        this,
        entries.map(({ server }) => server),
      );
      if (this.#warmup !== undefined) {
        refuseForgedMarks(entries.map(({ server }) => server));
        if (this.replaces) await warmUp(this, this.#warmup, this.signal);
      }
      await this.ready();
      this.once('closed', warnOfOtherHandlers(this.settings.signals));
    } catch (error) {
      this.abandon();
      throw atCall(error, this.serve);
    }
    return this;
  }

  /**
   * As {@link Grace.keep}, and for responses without end too: chunked, not compressed,
   * with nothing else in flight on the connection. In the successor such a response
   * comes as a `Writable` that goes on where this one stopped; its end() finishes the
   * response. It can be kept again.
   *
   * @throws GraceError `OPTION_INVALID`
   */
  override keep(connection: Socket | ServerResponse | Writable, kind: string, leave: () => unknown): () => void {
    checkKept(connection, kind, leave);
    if (!isResponse(connection)) return super.keep(connection as Socket, kind, leave);
    const { socket } = connection;
    const kept = socket === null ? undefined : this.#serverOf(socket)?.keepResponse(connection, kind, leave);
    return kept === undefined ? () => undefined : keepConnection(socket!, kept);
  }

  #serverOf(socket: Socket): ServedServer | undefined {
    return this.#servers.find((served) => served.has(socket));
  }

  /**
   * Reads the certificates that {@link createServer} has from files again, as
   * SIGHUP does. New connections use them; open ones are not changed.
   *
   * @returns one error for each server that failed; it keeps its old certificate.
   */
  reload(): readonly GraceError[] {
    return reloadAll(
      this,
      this.#servers.map(({ server }) => server),
    );
  }
}

/** An option of a server that is given to the process is an error that says where it belongs. */
function optionsOfGrace(options: AppOptions): GraceOptions {
  try {
    refuseUnknown({ options, where: 'new App()', names: APP_OPTIONS }, [IN_ENTRY, IN_CREATE_SERVER]);
  } catch (error) {
    throw atCall(error, App);
  }
  if (typeof options !== 'object' || options === null) return options;
  const { warmup: _, ...rest } = options;
  return rest;
}

function toClaim({ listen, name, mode, backlog }: ServerEntry): Claim {
  return { address: listen, name, mode, backlog };
}
