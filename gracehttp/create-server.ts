import http from 'node:http';
import { atCall } from '../lib/at-call.js';
import { refuseUnknown } from '../lib/check/names.js';
import { GraceError, show } from '../lib/errors.js';
import { milliseconds, wholeNumber } from '../lib/check/numbers.js';
import { attachEntry } from './entry/entry-registry.js';
import { kindOf, serverInstead } from './entry/not-a-server.js';
import { IN_APP, SERVER_OPTIONS } from './entry/option-names.js';
import { type ServerOptions } from './entry/server-options.js';
import { withWriteTimeout } from './http/write-timeout.js';
import { Certificate, type TlsOptions, attachCertificate } from './tls/certificate.js';
import { sessionContextOf } from './tls/session-context.js';

/** A listener for requests, as `http.createServer()` takes it. */
export type Handler = http.RequestListener;

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_MAX_HEADER_BYTES = 1 << 20;
const DEFAULT_TCP_KEEP_ALIVE_MS = 15_000;
/** By default Node.js looks for late requests every 30 s, so a timeout of 5 s could take 35 s. */
const CHECKS_PER_TIMEOUT = 10;
const LONGEST_CHECK_MS = 500;
/** tls.Server has no way to turn it off. */
const NO_HANDSHAKE_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Makes an `http.Server`, or an `https.Server` with the option `tls`, with the
 * timeouts that a server on the open internet needs. Pass it to {@link serve}.
 *
 * @param address - the address to serve on, see `parseAddress()` of `ts-grace`.
 * @throws GraceError `OPTION_INVALID`; `CERTIFICATE_INVALID` for a key or certificate
 * that cannot be read or parsed, or that do not belong together.
 *
 * @example
 * import { createServer, serve } from 'ts-grace/gracehttp';
 *
 * await serve(createServer(':8080', (request, response) => response.end('hello\n'), { writeTimeout: 30_000 }));
 */
export function createServer(address: string | number, handler: Handler, options: ServerOptions = {}): http.Server {
  try {
    return make(address, handler, options);
  } catch (error) {
    throw atCall(error, createServer);
  }
}

function make(address: string | number, handler: Handler, options: ServerOptions): http.Server {
  checkArguments(address, handler, options);
  const { tls, readHeaderTimeout, readTimeout, writeTimeout, keepAliveTimeout, maxHeaderBytes, tcpKeepAlive, ...entry } = options;
  const headersTimeout = milliseconds('readHeaderTimeout', readHeaderTimeout, DEFAULT_TIMEOUT_MS);
  const requestTimeout = milliseconds('readTimeout', readTimeout, DEFAULT_TIMEOUT_MS);
  const responseTimeout = milliseconds('writeTimeout', writeTimeout, DEFAULT_TIMEOUT_MS);
  const probeAfter = milliseconds('tcpKeepAlive', tcpKeepAlive, DEFAULT_TCP_KEEP_ALIVE_MS);
  const settings: http.ServerOptions = {
    // Node.js rejects a headersTimeout that is longer than requestTimeout.
    headersTimeout: requestTimeout === 0 ? headersTimeout : Math.min(headersTimeout, requestTimeout),
    requestTimeout,
    keepAliveTimeout: milliseconds('keepAliveTimeout', keepAliveTimeout, DEFAULT_TIMEOUT_MS),
    connectionsCheckingInterval: checkEvery(headersTimeout, requestTimeout),
    maxHeaderSize: wholeNumber('maxHeaderBytes', maxHeaderBytes, 1, Number.MAX_SAFE_INTEGER) ?? DEFAULT_MAX_HEADER_BYTES,
    keepAlive: probeAfter > 0,
    keepAliveInitialDelay: probeAfter,
  };
  const limited = responseTimeout === 0 ? handler : withWriteTimeout(handler, responseTimeout);
  const server =
    tls === undefined
      ? http.createServer(settings, limited)
      : createTlsServer(
          {
            ...settings,
            handshakeTimeout: headersTimeout || NO_HANDSHAKE_TIMEOUT_MS,
            ...tls,
            sessionIdContext: tls.sessionIdContext ?? sessionContextOf(String(address)),
          },
          limited,
        );
  attachEntry(server, { ...entry, server, listen: address });
  return server;
}

function checkArguments(address: unknown, handler: unknown, options: unknown): void {
  if (typeof address !== 'string' && typeof address !== 'number') {
    const message = `the address is ${kindOf(address)}, expected text or a number: the address comes first, then the handler, then the options`;
    throw new GraceError('OPTION_INVALID', message, { subject: 'address', value: address });
  }
  if (typeof handler !== 'function') {
    const instead = serverInstead(handler);
    const message = `the handler for ${show(address)} is ${kindOf(handler)}, expected a function (request, response)`;
    throw new GraceError('OPTION_INVALID', instead === undefined ? message : `${message}: for serve({ server, listen }), ${instead}`, {
      subject: 'handler',
      value: handler,
    });
  }
  if (typeof options !== 'object' || options === null) {
    throw new GraceError('OPTION_INVALID', `the options for ${show(address)} are ${kindOf(options)}, expected an object`, {
      subject: 'options',
      value: options,
    });
  }
  refuseUnknown({ options, where: 'createServer()', names: SERVER_OPTIONS }, [IN_APP]);
}

function createTlsServer(options: http.ServerOptions & TlsOptions, handler: Handler): http.Server {
  const certificate = new Certificate(options);
  // Loaded only here: a server without TLS starts faster without it.
  const https = process.getBuiltinModule('node:https');
  const server = https.createServer(certificate.read(), handler);
  attachCertificate(server, certificate);
  return server;
}

function checkEvery(...timeouts: readonly number[]): number {
  const shortest = Math.min(...timeouts.filter((timeout) => timeout > 0), LONGEST_CHECK_MS * CHECKS_PER_TIMEOUT);
  return Math.max(1, Math.ceil(shortest / CHECKS_PER_TIMEOUT));
}
