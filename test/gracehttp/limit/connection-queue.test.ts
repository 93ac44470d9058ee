import http from 'node:http';
import https from 'node:https';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
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
  for (const { body, headers } of await Promise.all(answers)) {
    t.equal(body, 'served');
    t.equal(headers.connection, 'close');
  }
});

t.test('a final stop also serves connections in the kernel\'s queue', async (t) => {
  const folder = scratch(t);
  const { keyFile, cert } = await makeCertificate(folder);
  const tls = { key: readFileSync(keyFile), cert };
  const makers = [
    (handler: http.RequestListener) => http.createServer(handler),
    (handler: http.RequestListener) => https.createServer(tls, handler),
  ];
  for (const [index, make] of makers.entries()) {
    let open = 0;
    let most = 0;
    const server = make((_, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end('served');
      }, 5);
    });
    const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 3 });
    const target = { port: portOf(app), ...(index === 1 ? { ca: cert } : {}) };
    const before = Array.from({ length: 10 }, () => get(target));
    await waitUntil('a queue', () => app.servers[0]!.traffic.queued > 0);
    const sockets = Array.from({ length: 60 }, () => connect({ port: target.port }));
    // The kernel has these; the server has not accepted them yet.
    for (const socket of sockets) socket.write(index === 0 ? 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' : '');
    const ends = sockets.map(listenTo);
    await Promise.all(sockets.map((socket) => socket.connecting && once(socket, 'connect')));
    const stopped = app.stop();
    if (index === 1) sockets.forEach((socket) => socket.destroy());
    t.equal((await Promise.all(before)).filter(({ body }) => body === 'served').length, 10);
    const answers = await Promise.all(ends);
    if (index === 0) t.equal(answers.filter(({ said }) => said.endsWith('served')).length, 60, 'all are answered');
    await stopped;
    t.match(await app.wait(), { code: 0 });
    t.equal(most, 3);
  }
});

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
