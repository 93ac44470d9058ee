import http from 'node:http';
import { type SecureContextOptions } from 'node:tls';
import { GraceError, show } from '../lib/errors.js';
import { milliseconds, wholeNumber } from '../lib/options.js';
import { Certificate, type CertificateSource, attachCertificate } from './tls/certificate.js';
import { type EntryOptions, attachEntry } from './entry.js';
import { limitAnswers } from './http/write-timeout.js';

export type Handler = http.RequestListener;

/** All times are in milliseconds; 0 switches one off. */
export interface ServerOptions extends EntryOptions {
  /** HTTPS where it is there. Files are read again on SIGHUP, and by each successor. */
  readonly tls?: CertificateSource & Omit<SecureContextOptions, 'key' | 'cert' | 'ca'>;
  /** From the connection, or the first byte after an idle time, to the end of a head; for a TLS handshake as well. Default 5 000. */
  readonly readHeaderTimeout?: number;
  /** From there to the end of the whole request. Default 5 000. */
  readonly readTimeout?: number;
  /** From the end of a request's head to the end of its answer; a late one is cut off, with its connection. Default 5 000. */
  readonly writeTimeout?: number;
  /** How long a connection may be without a request. Default 5 000. */
  readonly idleTimeout?: number;
  /** The largest head of a request. Default 1 MiB. */
  readonly maxHeaderBytes?: number;
  /** How long TCP is silent before the kernel asks whether the peer is there. Default 15 000. */
  readonly tcpKeepAlive?: number;
}

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_MAX_HEADER_BYTES = 1 << 20;
const DEFAULT_TCP_KEEP_ALIVE_MS = 15_000;
/** Node.js looks for late requests every 30 s otherwise, which makes 5 s up to 35. */
const CHECKS_PER_TIMEOUT = 10;
const LONGEST_CHECK_MS = 500;
/** tls.Server has no way to switch it off. */
const NO_HANDSHAKE_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * An `http.Server`, or an `https.Server` with `tls`, with the limits that a
 * server on the open internet needs. {@link serve} takes it as it is.
 *
 * @param address - where it is to serve, see {@link parseAddress}.
 * @throws GraceError `OPTION_INVALID`; `CERTIFICATE_INVALID` for a key or certificate
 * that cannot be read or parsed, or that do not belong together.
 *
 * @example
 * await serve(createServer(':9090', (request, response) => response.end('hello')));
 */
export function createServer(address: string | number, handler: Handler, options: ServerOptions = {}): http.Server {
  if (typeof handler !== 'function') {
    throw new GraceError('OPTION_INVALID', `the handler for ${show(address)} is ${show(handler)}, expected a function`, {
      subject: 'handler',
      value: handler,
    });
  }
  const {
    tls,
    readHeaderTimeout,
    readTimeout,
    writeTimeout,
    idleTimeout,
    maxHeaderBytes,
    tcpKeepAlive,
    ...entry
  } = options;
  const headersTimeout = milliseconds('readHeaderTimeout', readHeaderTimeout, DEFAULT_TIMEOUT_MS);
  const requestTimeout = milliseconds('readTimeout', readTimeout, DEFAULT_TIMEOUT_MS);
  const keepAliveTimeout = milliseconds('idleTimeout', idleTimeout, DEFAULT_TIMEOUT_MS);
  const answerTimeout = milliseconds('writeTimeout', writeTimeout, DEFAULT_TIMEOUT_MS);
  const probeAfter = milliseconds('tcpKeepAlive', tcpKeepAlive, DEFAULT_TCP_KEEP_ALIVE_MS);
  const settings: http.ServerOptions = {
    // Node.js takes it for an error where the head has longer than the whole.
    headersTimeout: requestTimeout === 0 ? headersTimeout : Math.min(headersTimeout, requestTimeout),
    requestTimeout,
    keepAliveTimeout,
    connectionsCheckingInterval: checkEvery(headersTimeout, requestTimeout),
    maxHeaderSize: wholeNumber('maxHeaderBytes', maxHeaderBytes, 1, Number.MAX_SAFE_INTEGER) ?? DEFAULT_MAX_HEADER_BYTES,
    keepAlive: probeAfter > 0,
    keepAliveInitialDelay: probeAfter,
  };
  const limited = answerTimeout === 0 ? handler : limitAnswers(handler, answerTimeout);
  const server =
    tls === undefined
      ? http.createServer(settings, limited)
      : createTlsServer({ ...settings, handshakeTimeout: headersTimeout || NO_HANDSHAKE_TIMEOUT_MS }, tls, limited);
  attachEntry(server, { ...entry, server, listen: address });
  return server;
}

function createTlsServer(
  settings: http.ServerOptions & { handshakeTimeout: number },
  source: NonNullable<ServerOptions['tls']>,
  handler: Handler,
): http.Server {
  const certificate = new Certificate(source);
  // Loaded here, as a server without TLS does not need it.
  const https = process.getBuiltinModule('node:https');
  const server = https.createServer({ ...settings, ...certificate.read() }, handler);
  attachCertificate(server, certificate);
  return server;
}

function checkEvery(...timeouts: readonly number[]): number {
  const shortest = Math.min(...timeouts.filter((timeout) => timeout > 0), LONGEST_CHECK_MS * CHECKS_PER_TIMEOUT);
  return Math.max(1, Math.ceil(shortest / CHECKS_PER_TIMEOUT));
}
