import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import t from 'tap';
import tls from 'node:tls';
import { underlyingSocket } from '../../../gracehttp/http/underlying-socket.js';
import { portOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { scratch } from '../../support/scratch.js';
import { listening } from '../../support/sockets.js';

t.test('the underlying socket of a TLS connection is the one that the server emitted', async (t) => {
  const folder = scratch(t);
  const { keyFile, certFile, cert } = await makeCertificate(folder);
  const options = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
  for (const server of [tls.createServer(options), https.createServer(options)]) {
    for (const place of [{ port: 0, host: '127.0.0.1' }, { path: `${folder}/${server.constructor === tls.Server ? 'tls' : 'https'}` }]) {
      if (server.listening) server.close();
      await listening(t, server, place);
      const connection = once(server, 'connection') as Promise<[net.Socket]>;
      const secured = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>;
      const where = 'path' in place ? { path: place.path } : { port: portOf(server), host: '127.0.0.1' };
      const client = tls.connect({ ...where, ca: cert, servername: 'localhost' });
      t.teardown(() => client.destroy());
      const [[underlying], [secure]] = await Promise.all([connection, secured]);
      t.equal(underlyingSocket(secure), underlying, `${server.constructor.name}, ${'path' in place ? 'unix' : 'TCP'}`);
      t.ok(underlying instanceof net.Socket);
    }
  }
});

t.test('a connection without TLS has none', async (t) => {
  t.notOk(underlyingSocket(new net.Socket() as tls.TLSSocket));
});
