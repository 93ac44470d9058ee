import { readFileSync } from 'node:fs';
import { type Server } from 'node:net';
import { type SecureContextOptions } from 'node:tls';
import { GraceError, show } from '../../lib/errors.js';

/** Text or bytes in PEM, or the path of a file. */
export type Pem = string | Buffer;

export interface CertificateSource {
  readonly key: Pem;
  /** With the certificates between it and the authority's, where there are some. */
  readonly cert: Pem;
  /** Authorities whose client certificates are taken. */
  readonly ca?: Pem;
}

/** What a tls.Server can do; asked for this way, as loading TLS takes time. */
interface TlsServer {
  setSecureContext(options: SecureContextOptions): void;
}

const PARTS = ['key', 'cert', 'ca'] as const;

/** A key and its certificate, which can be read again. */
export class Certificate {
  readonly #source: CertificateSource & SecureContextOptions;

  constructor(source: CertificateSource & SecureContextOptions) {
    this.#source = source;
  }

  /** Whether a part of it is a file, so that reading again can bring something new. */
  get hasFiles(): boolean {
    return PARTS.some((part) => isPath(this.#source[part]));
  }

  /** @throws GraceError `CERTIFICATE_INVALID` */
  read(): SecureContextOptions {
    const { key, cert, ca, ...rest } = this.#source;
    const context = {
      ...rest,
      key: readPem('key', key),
      cert: readPem('cert', cert),
      ...(ca === undefined ? {} : { ca: readPem('ca', ca) }),
    };
    try {
      // Throws where a part does not parse, or the key is another certificate's.
      process.getBuiltinModule('node:tls').createSecureContext(context);
    } catch (cause) {
      const reason = (cause as Error).message;
      const files = PARTS.map((part) => this.#source[part]).filter(isPath);
      const where = files.length === 0 ? 'tls' : files.join(', ');
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

export function attachCertificate(server: Server, certificate: Certificate): void {
  certificates.set(server, certificate);
}

/** Whether {@link reloadCertificate} can bring something new. */
export function hasCertificateFiles(server: Server): boolean {
  return certificates.get(server)?.hasFiles ?? false;
}

/**
 * Reads a server's certificate again, for connections that come from now on.
 *
 * @throws GraceError `CERTIFICATE_INVALID`; the server goes on with the one it has.
 */
export function reloadCertificate(server: Server): void {
  const certificate = certificates.get(server);
  if (certificate !== undefined) (server as Server & TlsServer).setSecureContext(certificate.read());
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
