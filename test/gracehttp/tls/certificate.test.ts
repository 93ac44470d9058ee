import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { createServer } from '../../../gracehttp/create-server.js';
import { type ServerOptions } from '../../../gracehttp/entry/server-options.js';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { makeCertificate } from '../../support/certificate.js';
import { get } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';

const handler = (_: unknown, response: http.ServerResponse): unknown => response.end('served');

t.test('certificates that cannot be used', async (t) => {
  const [folder, other] = [scratch(t), scratch(t)];
  const { keyFile, certFile } = await makeCertificate(folder);
  const strange = await makeCertificate(other);
  const broken = join(folder, 'broken.pem');
  writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n');
  const bad: [string, ServerOptions['tls'], RegExp][] = [
    ['a missing file', { key: join(folder, 'none.pem'), cert: certFile }, /ENOENT.*none\.pem/],
    ['a folder', { key: folder, cert: certFile }, /EISDIR/],
    ['a key of another certificate', { key: strange.keyFile, cert: certFile }, /key.*match/i],
    ['a file that is not a certificate', { key: keyFile, cert: broken }, /broken\.pem/],
    ['PEM that is not a certificate', { key: readFileSync(keyFile), cert: readFileSync(broken) }, /certificate/],
    ['no certificate', { key: keyFile } as ServerOptions['tls'], /tls\.cert is undefined/],
  ];
  for (const [what, tls, message] of bad) {
    t.throws(() => createServer(':0', handler, { tls: tls! }), { name: 'GraceError', code: 'CERTIFICATE_INVALID', message }, what);
  }
});

t.test('certificates from files and from PEM', async (t) => {
  const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
  const text = { key: readFileSync(keyFile, 'utf8'), cert };
  for (const [what, tls] of [['files', { key: keyFile, cert: certFile }], ['PEM', text]] as const) {
    const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { tls }));
    t.equal((await get({ port: portOf(app), ca: cert })).body, 'served', what);
    await app.stop();
  }
});
