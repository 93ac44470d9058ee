import http from 'node:http';
import https from 'node:https';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { makeCertificate } from '../../support/certificate.js';
import { HeldRequests } from '../../support/http/held-requests.js';
import { type Target, get } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

t.test('a connection that was refused has no place, also before it has closed', async (t) => {
  const held = new HeldRequests();
  const server = http.createServer(held.handler);
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 1, maxQueued: 0, overflow: '503' });
  const served = app.servers[0]!;
  const port = portOf(app);
  const first = get({ port });
  await waitUntil('a request', () => held.open === 1);
  // It does not close when it has its answer, so the server waits a second for that.
  const refused = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
  t.teardown(() => refused.destroy());
  await waitUntil('a refusal', () => served.traffic.refused === 1);
  t.equal(served.connectionLimit.served, 1);
  held.answer();
  await first;
});

t.test('a connection that finds the queue full is reset or gets 503', async (t) => {
  const folder = scratch(t);
  const { keyFile, cert } = await makeCertificate(folder);
  const [key, socketPath] = [readFileSync(keyFile), join(folder, 'app.sock')];
  const held = new HeldRequests();
  const make = (): http.Server => http.createServer(held.handler);
  const common = { listen: '127.0.0.1:0', maxConnections: 1, maxQueued: 2 } as const;
  const app = await serveHere(
    t,
    {},
    { ...common, server: make() },
    { ...common, server: make(), overflow: '503' },
    { ...common, server: https.createServer({ key, cert }, held.handler), overflow: '503' },
    { ...common, server: make(), listen: `unix:${socketPath}` },
  );
  const cases: [Target, (answer: Promise<unknown>) => Promise<unknown>][] = [
    [{ port: portOf(app, 0) }, (answer) => t.rejects(answer, { code: 'ECONNRESET' })],
    [
      { port: portOf(app, 1) },
      async (answer) => t.match(await answer, { status: 503, headers: { 'retry-after': '1', connection: 'close' }, body: /no room/ }),
    ],
    [{ port: portOf(app, 2), ca: cert }, (answer) => t.rejects(answer, { code: 'ECONNRESET' })],
    [{ socketPath }, (answer) => t.rejects(answer, { code: /ECONNRESET|EPIPE/ })],
  ];
  for (const [index, [target, check]] of cases.entries()) {
    const served = app.servers[index]!;
    const accepted = Array.from({ length: 3 }, () => get(target));
    await waitUntil('a full queue', () => held.open === 1 && served.traffic.queued === 2);
    await check(get(target));
    await check(get(target, '/', { method: 'POST', headers: { 'content-length': '5' } }));
    t.match(served.traffic, { queued: 2, refused: 2, inFlight: 1 });
    let done = false;
    const answers = Promise.all(accepted).finally(() => {
      done = true;
    });
    while (!done) {
      held.answer();
      await waitUntil('the next request', () => held.open > 0 || done);
    }
    t.same(
      (await answers).map(({ body }) => body),
      ['served', 'served', 'served'],
      'the accepted ones are served',
    );
  }
});
