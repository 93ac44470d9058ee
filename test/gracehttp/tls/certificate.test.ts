import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import tls from 'node:tls';
import t from 'tap';
import { createServer } from '../../../gracehttp/create-server.js';
import { type ServerOptions } from '../../../gracehttp/entry/server-options.js';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { type Certificate, makeCertificate, makeClientCertificate } from '../../support/certificate.js';
import { answerTo, get } from '../../support/http/client.js';
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
  for (const [what, tls] of [
    ['files', { key: keyFile, cert: certFile }],
    ['PEM', text],
  ] as const) {
    const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { tls }));
    t.equal((await get({ port: portOf(app), ca: cert })).body, 'served', what);
    await app.stop();
  }
});

/** One request with a client certificate, or without one. */
function visit(port: number, ca: string, client: https.RequestOptions = {}): Promise<string> {
  return getText(https.request({ host: '127.0.0.1', port, ca, servername: 'localhost', agent: false, ...client }));
}

function getText(request: http.ClientRequest): Promise<string> {
  request.end();
  return answerTo(request).then(({ body }) => body);
}

t.test('with `ca`, clients have to send a certificate of these authorities', async (t) => {
  const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
  const [known, second, stranger] = [
    await makeClientCertificate(scratch(t)),
    await makeClientCertificate(scratch(t)),
    await makeClientCertificate(scratch(t)),
  ];
  const identity = (of: Certificate) => ({ key: readFileSync(of.keyFile), cert: of.cert });
  const own = { key: keyFile, cert: certFile };
  const strict = await serveHere(
    t,
    {},
    createServer('127.0.0.1:0', handler, { tls: { ...own, ca: [known.authority.certFile, second.authority.cert] } }),
  );
  t.equal(await visit(portOf(strict), cert, identity(known.client)), 'served');
  t.equal(await visit(portOf(strict), cert, identity(second.client)), 'served', 'several authorities');
  await t.rejects(visit(portOf(strict), cert), 'without a certificate');
  await t.rejects(visit(portOf(strict), cert, identity(stranger.client)), 'with a certificate of another authority');
  t.strictSame(strict.reload(), []);
  await t.rejects(visit(portOf(strict), cert), 'also after the certificates were read again');
  await strict.stop();

  const lenient = await serveHere(
    t,
    {},
    createServer('127.0.0.1:0', handler, { tls: { ...own, ca: known.authority.cert, rejectUnauthorized: false } }),
  );
  t.equal(await visit(portOf(lenient), cert), 'served', 'unless the program says otherwise');
  await lenient.stop();
});

t.test('every option of tls.createServer can be given', async (t) => {
  const { keyFile, certFile } = await makeCertificate(scratch(t));
  const other = await makeCertificate(scratch(t));
  const context = tls.createSecureContext({ key: readFileSync(other.keyFile), cert: other.cert });
  const asked: string[] = [];
  const options: ServerOptions['tls'] = {
    key: keyFile,
    cert: certFile,
    ALPNProtocols: ['acme', 'http/1.1'],
    SNICallback: (name, done) => {
      asked.push(name);
      done(null, context);
    },
  };
  const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { tls: options }));
  const socket = tls.connect({ port: portOf(app), host: '127.0.0.1', servername: 'localhost', ca: other.cert, ALPNProtocols: ['acme'] });
  await once(socket, 'secureConnect');
  t.equal(socket.alpnProtocol, 'acme');
  t.strictSame(asked, ['localhost']);
  t.ok(socket.authorized, 'the certificate of SNICallback');
  socket.destroy();
});
