import { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { GraceError, show } from '../../lib/errors.js';
import { milliseconds } from '../../lib/options.js';
import { Checks, type Check } from './checks.js';
import { type Reply, control, mayControl } from './control.js';
import { Metrics, type MetricsSource } from './metrics.js';
import { status } from './status.js';
import { type App } from '../app.js';

export interface HealthOptions {
  /** What has to work for this process to be ready, by name. One that throws, or is not done in time, has failed. */
  readonly checks?: Readonly<Record<string, Check>>;
  /** How long a check may take, in milliseconds. Default 2 000. */
  readonly checkTimeout?: number;
  /** A `Registry` of prom-client's with the program's own metrics, for `/metrics`. */
  readonly registry?: MetricsSource;
  /** Whether `POST /restart` and `POST /limit` are there. Default false. */
  readonly control?: boolean;
  /** What `Authorization: Bearer` has to bring for these. Without it they work on loopback addresses and unix sockets only. */
  readonly token?: string;
}

const DEFAULT_CHECK_TIMEOUT_MS = 2_000;

/**
 * A request listener for a server of an administrator's: `/livez`, `/readyz`,
 * `/status`, `/metrics`, and with `control` also `POST /restart` and `POST /limit`.
 *
 * @throws GraceError `OPTION_INVALID`
 *
 * @example
 * const app = new App();
 * const admin = createServer('127.0.0.1:9000', health(app, { checks: { database: () => pool.query('select 1') } }));
 * await app.serve({ server, listen: ':8080', name: 'public' }, admin);
 */
export function health(app: App, options: HealthOptions = {}): RequestListener {
  const { token, registry } = options;
  if (token !== undefined && (typeof token !== 'string' || token === '')) {
    throw new GraceError('OPTION_INVALID', `the option token is ${show(token)}, expected a text that is not empty`, {
      subject: 'token',
    });
  }
  const checks = new Checks(
    options.checks ?? {},
    milliseconds('checkTimeout', options.checkTimeout, DEFAULT_CHECK_TIMEOUT_MS),
  );
  const metrics = new Metrics(app, registry);

  const look = async (path: string): Promise<Reply | undefined> => {
    switch (path) {
      case '/livez':
        return { status: 200, body: { live: true } };
      case '/readyz':
        return ready(app, checks);
      case '/status':
        return { status: 200, body: status(app) };
      case '/metrics':
        return metrics.reply();
      default:
        return undefined;
    }
  };
  const act = (request: IncomingMessage, url: URL): Promise<Reply | undefined> | Reply => {
    if (options.control !== true) return { status: 403, body: { error: 'the option control is not set' } };
    return mayControl(app, request, token) ?? control(app, url);
  };
  const reply = async (request: IncomingMessage): Promise<Reply> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const { method } = request;
    const isAction = url.pathname === '/restart' || url.pathname === '/limit';
    const allowed = isAction ? ['POST'] : ['GET', 'HEAD'];
    if (!allowed.includes(method ?? '')) {
      const Allow = allowed.join(', ');
      return { status: 405, headers: { Allow }, body: { error: `the method is ${method}, expected ${Allow}` } };
    }
    const found = isAction ? await act(request, url) : await look(url.pathname);
    return found ?? { status: 404, body: { error: `there is no ${url.pathname}` } };
  };
  return (request, response) => {
    reply(request).then(
      (found) => send(request, response, found),
      (error: unknown) => send(request, response, { status: 500, body: { error: String(error) } }),
    );
  };
}

/**
 * Not ready while it starts, and when it stops for good. A process that drains as
 * it handed over says that it is ready: its successor is, on the same address, and a
 * prober on a connection of before must not take both out.
 */
async function ready(app: App, checks: Checks): Promise<Reply> {
  const { state, reason } = app;
  const serves = state === 'serving' || (state === 'draining' && reason === 'handover');
  const { ok, results } = serves ? await checks.run() : { ok: false, results: {} };
  return { status: ok ? 200 : 503, body: { ready: ok, state, checks: results } };
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Reply): void {
  const isText = typeof body === 'string';
  const text = isText ? body : `${JSON.stringify(body, undefined, 2)}\n`;
  response.writeHead(status, {
    'Content-Type': isText ? 'text/plain' : 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
