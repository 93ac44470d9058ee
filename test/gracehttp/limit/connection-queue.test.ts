import http from 'node:http';
import https from 'node:https';
import { once } from 'node:events';
import t from 'tap';
import { type App } from '../../../gracehttp/app.js';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { makeCertificate } from '../../support/certificate.js';
import { HeldRequests } from '../../support/http/held-requests.js';
import { connect, get, listenTo } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

t.test('a drain serves waiting connections', async (t) => {
  const held = new HeldRequests();
  const server = http.createServer(held.handler);
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 2 });
  const answers = Array.from({ length: 12 }, () => get({ port: portOf(app) }));
  await waitUntil('a queue', () => held.open === 2 && app.servers[0]!.traffic.queued === 10);
  const stopped = app.stop();
  await waitUntil('the port to close', () => !server.listening);
  while (app.state === 'draining') {
    held.answer();
    await waitUntil('the next request', () => held.open > 0 || app.state === 'closed');
  }
  await stopped;
  t.equal(held.most, 2);
  const all = await Promise.all(answers);
  t.equal(all.filter(({ body, headers }) => body === 'served' && headers.connection === 'close').length, 12, 'all are served, and closed');
});

for (const protocol of ['HTTP', 'HTTPS'] as const) {
  t.test(`a final stop also serves connections in the kernel's queue, by ${protocol}`, async (t) => {
    const { key, cert } = await makeCertificate(scratch(t));
    let open = 0;
    let most = 0;
    const handler = (_: http.IncomingMessage, response: http.ServerResponse): void => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end('served');
      }, 5);
    };
    const server = protocol === 'HTTP' ? http.createServer(handler) : https.createServer({ key, cert }, handler);
    const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 3 });
    const target = { port: portOf(app), ...(protocol === 'HTTP' ? {} : { ca: cert }) };
    const before = Array.from({ length: 10 }, () => get(target));
    await waitUntil('a queue', () => app.servers[0]!.traffic.queued > 0);
    // Each has sent its request, or its first bytes of TLS, when the stop begins.
    const sockets = Array.from({ length: 60 }, () => connect(target));
    const ends = sockets.map(listenTo);
    for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all(sockets.map((socket) => socket.connecting && once(socket, 'connect')));
    const stopped = app.stop();
    t.equal((await Promise.all(before)).filter(({ body }) => body === 'served').length, 10, 'those that waited in the process are answered');
    t.equal((await Promise.all(ends)).filter(({ said }) => said.endsWith('served')).length, 60, 'so are those in the kernel');
    await stopped;
    t.match(await app.wait(), { code: 0 });
    t.equal(most, 3);
  });
}

t.test('the drain deadline closes waiting connections, and counts them', async (t) => {
  const held = new HeldRequests();
  const app = await serveHere(
    t,
    { drainTimeout: 100 },
    { server: http.createServer(held.handler), listen: '127.0.0.1:0', maxConnections: 1 },
  );
  const answers = Array.from({ length: 3 }, () => get({ port: portOf(app) }));
  await waitUntil('a queue', () => held.open === 1 && app.servers[0]!.traffic.queued === 2);
  const rejected = Promise.all(answers.map((answer) => t.rejects(answer)));
  void app.stop();
  t.match(await app.wait(), { code: 1, cutOff: [{ count: 3 }] });
  await rejected;
});

t.test('a client that leaves while it waits does not take a place', async (t) => {
  const held = new HeldRequests();
  const app: App = await serveHere(
    t,
    {},
    { server: http.createServer(held.handler), listen: '127.0.0.1:0', maxConnections: 1 },
  );
  const target = { port: portOf(app) };
  const first = get(target, '/first');
  await waitUntil('the first', () => held.open === 1);
  const left = connect(target);
  await once(left, 'connect');
  await waitUntil('one waiting', () => app.servers[0]!.traffic.queued === 1);
  left.resetAndDestroy();
  const last = get(target, '/last');
  await waitUntil('two waiting', () => app.servers[0]!.traffic.queued === 2);
  held.answer();
  await waitUntil('the last', () => held.open === 1);
  held.answer();
  await Promise.all([first, last]);
  t.same(held.arrived, ['/first', '/last']);
});
