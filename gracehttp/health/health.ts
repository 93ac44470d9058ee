import { type IncomingMessage, type RequestListener } from 'node:http';
import { refuseUnknown } from '../../lib/check/names.js';
import { GraceError, show } from '../../lib/errors.js';
import { milliseconds } from '../../lib/check/numbers.js';
import { type App } from '../app.js';
import { refusal } from './authorize.js';
import { type Check, Checks } from './checks.js';
import { changeLimit, restart, revert } from './control.js';
import { type MetricsSource, metrics } from './metrics.js';
import { readiness } from './readiness.js';
import { type Reply } from './reply.js';
import { type Route, router } from './router.js';
import { status } from './status.js';

/** Options of {@link health}. */
export interface HealthOptions {
  /** What must work for this process to be ready, by name. A check that throws or takes too long has failed. Default: none. */
  readonly checks?: Readonly<Record<string, Check>>;
  /** How long each check may take, in milliseconds. Default 2 000. */
  readonly checkTimeout?: number;
  /** The program's own metrics, for example a `Registry` of prom-client; `/metrics` appends them. Default: none. */
  readonly registry?: MetricsSource;
  /** Enables `POST /restart`, `POST /revert` and `POST /limit`. Default false. */
  readonly control?: boolean;
  /**
   * The token that `/status` and the actions of `control` require, as `Authorization: Bearer TOKEN`.
   * Without it they work only on unix sockets, and on loopback addresses for a
   * `Host` of this machine; never from web pages or through a proxy. Default: none.
   */
  readonly token?: string;
}

const OPTIONS = ['checks', 'checkTimeout', 'registry', 'control', 'token'] satisfies readonly (keyof HealthOptions)[];
type Action = (url: URL, request: IncomingMessage) => Reply | Promise<Reply>;

const DEFAULT_CHECK_TIMEOUT_MS = 2_000;

/**
 * A request listener for an admin server: `/livez`, `/readyz`, `/status`,
 * `/metrics`, and with the option `control` also `POST /restart`, `POST /revert`
 * and `POST /limit`.
 *
 * @throws GraceError `OPTION_INVALID`
 *
 * @example
 * import { access } from 'node:fs/promises';
 * import { App, createServer, health } from 'ts-grace/gracehttp';
 *
 * const app = new App();
 * const admin = createServer('127.0.0.1:9000', health(app, { checks: { files: () => access('.') } }));
 * await app.serve({ handler: (request, response) => response.end('hello\n'), listen: ':8080', name: 'public' }, admin);
 */
export function health(app: App, options: HealthOptions = {}): RequestListener {
  refuseUnknown({ options, where: 'health()', names: OPTIONS });
  const { token, registry } = options;
  if (token !== undefined && (typeof token !== 'string' || token === '')) {
    throw new GraceError('OPTION_INVALID', `the option token is ${show(token)}, expected a string that is not empty`, {
      subject: 'token',
    });
  }
  const timeout = milliseconds('checkTimeout', options.checkTimeout, DEFAULT_CHECK_TIMEOUT_MS);
  const checks = new Checks(options.checks ?? {}, timeout);

  const authorized =
    (action: Action): Route =>
    (request: IncomingMessage, url: URL) =>
      refusal(app, request, token) ?? action(url, request);
  const controlling = (action: Action): Route =>
    options.control === true ? authorized(action) : () => ({ status: 403, body: { error: 'the option control is not set' } });
  return router({
    reads: {
      '/livez': () => ({ status: 200, body: { live: true } }),
      '/readyz': () => readiness(app, checks),
      '/status': authorized(() => ({ status: 200, body: status(app) })),
      '/metrics': () => metrics(app, registry),
    },
    actions: {
      '/restart': controlling(() => restart(app)),
      '/revert': controlling(({ searchParams }) => revert(app, searchParams)),
      '/limit': controlling(({ searchParams }, { socket }) => changeLimit(app, searchParams, socket)),
    },
  });
}
