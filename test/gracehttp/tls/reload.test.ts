import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { createServer } from '../../../gracehttp/create-server.js';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { makeCertificate } from '../../support/certificate.js';
import { get } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';

t.test('reload() reads certificates again, and keeps the old one if that fails', async (t) => {
  const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
  const strange = await makeCertificate(scratch(t));
  const app = await serveHere(
    t,
    {},
    createServer('127.0.0.1:0', (_, response) => response.end('served'), { tls: { key: keyFile, cert: certFile } }),
  );
  const failed: string[] = [];
  app.on('reload-failed', ({ code }) => failed.push(code));
  writeFileSync(keyFile, readFileSync(strange.keyFile));
  t.match(app.reload(), [{ code: 'CERTIFICATE_INVALID' }], 'a new key without its certificate is reported');
  t.same(failed, ['CERTIFICATE_INVALID']);
  t.equal((await get({ port: portOf(app), ca: cert })).body, 'served', 'the old certificate is kept');
  writeFileSync(certFile, strange.cert);
  t.same(app.reload(), []);
  t.equal((await get({ port: portOf(app), ca: strange.cert })).body, 'served', 'the new certificate is used');
  await t.rejects(get({ port: portOf(app), ca: cert }), 'the old certificate is not');
  rmSync(keyFile);
  t.equal(app.reload().length, 1);
});
