import { type TlsOptions } from '../tls/certificate.js';
import { type EntryOptions } from './server-entry.js';

/** All times are in milliseconds; 0 turns a timeout off. */
export interface ServerOptions extends EntryOptions {
  /**
   * Makes an HTTPS server: a key, a certificate, and any other option of
   * `tls.createServer`. Files are read again on SIGHUP and by each successor. Default: an HTTP server.
   */
  readonly tls?: TlsOptions;
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
