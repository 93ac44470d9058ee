import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificate {
  readonly keyFile: string;
  readonly certFile: string;
  readonly key: string;
  readonly cert: string;
}

const LOCALHOST = [{ name: 'commonName', value: 'localhost' }];
const ELLIPTIC = { keyType: 'ec', algorithm: 'sha256' } as const;

/** A self-signed certificate for localhost. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const { private: key, cert } = await generate(LOCALHOST, ELLIPTIC);
  return write(folder, '', key, cert);
}

/** A certificate for a client, which the certificate of an authority signed; both for one folder. */
export async function makeClientCertificate(folder: string): Promise<{ readonly authority: Certificate; readonly client: Certificate }> {
  // OpenSSL finds an authority by its name, so two of them need different ones.
  const made = await generate([{ name: 'commonName', value: `authority ${randomUUID()}` }], {
    ...ELLIPTIC,
    clientCertificate: { cn: 'client', keyType: 'ec', algorithm: 'sha256' },
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true },
    ],
  });
  return {
    authority: write(folder, 'authority-', made.private, made.cert),
    client: write(folder, 'client-', made.clientprivate!, made.clientcert!),
  };
}

function write(folder: string, prefix: string, key: string, cert: string): Certificate {
  const [keyFile, certFile] = [join(folder, `${prefix}key.pem`), join(folder, `${prefix}cert.pem`)];
  writeFileSync(keyFile, key);
  writeFileSync(certFile, cert);
  return { keyFile, certFile, key, cert };
}
