import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test } from 'tap';

export interface Certificate {
  readonly keyFile: string;
  readonly certFile: string;
  readonly cert: string;
}

/** A folder for one test, removed after it. */
export function scratch(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'grace-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A self-signed certificate for localhost, by openssl. */
export function makeCertificate(folder: string): Certificate {
  const keyFile = join(folder, 'key.pem');
  const certFile = join(folder, 'cert.pem');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
  return { keyFile, certFile, cert: readFileSync(certFile, 'utf8') };
}
