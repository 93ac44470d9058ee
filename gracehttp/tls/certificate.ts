import { readFileSync } from 'node:fs';
import { type Server } from 'node:net';
import { type SecureContextOptions, type TlsOptions as NodeTlsOptions } from 'node:tls';
import { GraceError, show } from '../../lib/errors.js';

/** PEM as text or bytes, or the path of a PEM file. */
export type Pem = string | Buffer;

/** A server's key and certificate. */
export interface CertificateSource {
  /** The private key. */
  readonly key: Pem;
  /** The certificate, followed by the intermediate ones if there are any. */
  readonly cert: Pem;
  /**
   * Authorities whose client certificates are accepted. With it, clients have to
   * send one: `requestCert` and `rejectUnauthorized` are true unless they are given.
   */
  readonly ca?: Pem | readonly Pem[];
}

/** A key, a certificate, and any other option of `tls.createServer`. */
export type TlsOptions = CertificateSource & Omit<NodeTlsOptions, keyof CertificateSource>;

/** The part of tls.Server that is needed here, without loading TLS, which takes time. */
interface TlsServer {
  setSecureContext(options: SecureContextOptions): void;
  getTicketKeys(): Buffer;
  setTicketKeys(keys: Buffer): void;
}

const PARTS = ['key', 'cert', 'ca'] as const;

/** A key and its certificate; {@link read} reads them again. */
export class Certificate {
  readonly #source: TlsOptions;

  constructor(source: TlsOptions) {
    this.#source = source;
  }

  /** Whether a part is a file, so that reading again can change something. */
  get hasFiles(): boolean {
    return this.#files.length > 0;
  }

  get #files(): readonly string[] {
    return PARTS.flatMap((part) => this.#source[part] ?? []).filter(isPath);
  }

  /**
   * All options of `tls.createServer`, with the files read.
   *
   * @throws GraceError `CERTIFICATE_INVALID`
   */
  read(): NodeTlsOptions {
    const { key, cert, ca, ...rest } = this.#source;
    const context = {
      ...(ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
      ...rest,
      key: readPem('key', key),
      cert: readPem('cert', cert),
      ...(ca === undefined ? {} : { ca: [ca].flat().map((pem) => readPem('ca', pem)) }),
    };
    try {
      // Throws if a part does not parse, or if key and certificate do not match.
      process.getBuiltinModule('node:tls').createSecureContext(context);
    } catch (cause) {
      const reason = (cause as Error).message;
      const where = this.hasFiles ? this.#files.join(', ') : 'tls';
      throw new GraceError('CERTIFICATE_INVALID', `cannot use the certificate of ${where}: ${reason}`, {
        subject: 'tls',
        value: where,
        cause,
      });
    }
    return context;
  }
}

const certificates = new WeakMap<Server, Certificate>();

/** Remembers where a server's certificate comes from. */
export function attachCertificate(server: Server, certificate: Certificate): void {
  certificates.set(server, certificate);
}

/** Whether {@link reloadCertificate} can change something. */
export function hasCertificateFiles(server: Server): boolean {
  return certificates.get(server)?.hasFiles ?? false;
}

/**
 * Reads a server's certificate again, for new connections.
 *
 * @throws GraceError `CERTIFICATE_INVALID`; then the server keeps its old certificate.
 */
export function reloadCertificate(server: Server): void {
  const certificate = certificates.get(server);
  if (certificate === undefined) return;
  const tls = server as Server & TlsServer;
  // A new context has new ticket keys, with which no session would resume.
  const keys = tls.getTicketKeys();
  tls.setSecureContext(certificate.read());
  tls.setTicketKeys(keys);
}

function isPath(pem: unknown): pem is string {
  return typeof pem === 'string' && !pem.includes('-----BEGIN ');
}

function readPem(part: string, pem: unknown): Pem {
  const subject = `tls.${part}`;
  if (Buffer.isBuffer(pem)) return pem;
  if (typeof pem !== 'string') {
    throw new GraceError('CERTIFICATE_INVALID', `${subject} is ${show(pem)}, expected PEM or the path of a file`, {
      subject,
      value: pem,
    });
  }
  if (!isPath(pem)) return pem;
  try {
    return readFileSync(pem);
  } catch (cause) {
    throw new GraceError('CERTIFICATE_INVALID', `cannot read ${subject}: ${(cause as Error).message}`, {
      subject,
      value: pem,
      cause,
    });
  }
}
