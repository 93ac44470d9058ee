import http from 'node:http';
import { type SecureContextOptions } from 'node:tls';
import { GraceError, show } from '../lib/errors.js';
import { milliseconds, wholeNumber } from '../lib/options.js';
import { Certificate, type CertificateSource, attachCertificate } from './tls/certificate.js';
import { attachEntry } from './entry-registry.js';
import { withWriteTimeout } from './http/write-timeout.js';
import { type EntryOptions } from './server-entry.js';

export type Handler = http.RequestListener;

/** All times are in milliseconds; 0 turns a timeout off. */
export interface ServerOptions extends EntryOptions {
  /** Makes an HTTPS server. Files are read again on SIGHUP and by each successor. */
  readonly tls?: CertificateSource & Omit<SecureContextOptions, 'key' | 'cert' | 'ca'>;
  /**
   * How long the head of a request may take, from the connection or, on a kept
   * connection, from its first byte. Also how long a TLS handshake may take. Default 5 000.
   */
  readonly readHeaderTimeout?: number;
  /** How long the whole request may take, from the same start. Default 5 000. */
  readonly readTimeout?: number;
  /**
   * How long a response may take, from the end of the request's head to the last
   * byte of the response. A late one is cut off, with its connection, and a warning
   * says so; server-sent events never are. Default 5 000.
   */
  readonly writeTimeout?: number;
  /** How long a kept connection may wait for its next request: `http.Server`'s `keepAliveTimeout`. Default 5 000. */
  readonly keepAliveTimeout?: number;
  /** The largest head of a request, in bytes. Default 1 MiB. */
  readonly maxHeaderBytes?: number;
  /** How long a TCP connection is silent before the kernel probes whether the peer still exists. Default 15 000. */
  readonly tcpKeepAlive?: number;
}

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
 * @param address - the address to serve on, see {@link parseAddress}.
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
    keepAliveTimeout,
    maxHeaderBytes,
    tcpKeepAlive,
    ...entry
  } = options;
  const headersTimeout = milliseconds('readHeaderTimeout', readHeaderTimeout, DEFAULT_TIMEOUT_MS);
  const requestTimeout = milliseconds('readTimeout', readTimeout, DEFAULT_TIMEOUT_MS);
  const responseTimeout = milliseconds('writeTimeout', writeTimeout, DEFAULT_TIMEOUT_MS);
  const probeAfter = milliseconds('tcpKeepAlive', tcpKeepAlive, DEFAULT_TCP_KEEP_ALIVE_MS);
  const settings: http.ServerOptions = {
    // Node.js rejects a head that may take longer than the whole request.
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
  // Loaded only here: a server without TLS starts faster without it.
  const https = process.getBuiltinModule('node:https');
  const server = https.createServer({ ...settings, ...certificate.read() }, handler);
  attachCertificate(server, certificate);
  return server;
}

function checkEvery(...timeouts: readonly number[]): number {
  const shortest = Math.min(...timeouts.filter((timeout) => timeout > 0), LONGEST_CHECK_MS * CHECKS_PER_TIMEOUT);
  return Math.max(1, Math.ceil(shortest / CHECKS_PER_TIMEOUT));
}
