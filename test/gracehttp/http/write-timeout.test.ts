import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createServer } from '../../../gracehttp/create-server.js';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { connect, get, listenTo } from '../../support/http/client.js';
import { waitUntil } from '../../support/wait.js';

/** Answers after `?ms=`; with `?piece` it writes a first piece at once. */
function handler(request: http.IncomingMessage, response: http.ServerResponse): void {
  const url = new URL(request.url!, 'http://localhost');
  if (url.searchParams.has('piece')) response.write('a piece, ');
  setTimeout(() => response.end('served'), Number(url.searchParams.get('ms') ?? 0));
}

t.test('a late response is cut off', async (t) => {
  const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { writeTimeout: 300, readTimeout: 0 }));
  const target = { port: portOf(app) };
  await t.rejects(get(target, '/?ms=3000'), { code: 'ECONNRESET' }, 'before its head');
  await t.rejects(get(target, '/?piece&ms=3000'), 'in its body');
  t.equal((await get(target, '/?ms=150')).body, 'served', 'a response in time is not');

  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const begin = performance.now();
  let answers = 0;
  let port = 0;
  while (performance.now() - begin < 800) {
    const { body } = await get(target, '/?ms=50', { agent });
    t.equal(body, 'served');
    const { localPort } = Object.values(agent.freeSockets).flat()[0] as net.Socket;
    port ||= localPort!;
    if (port !== localPort) t.fail('another connection');
    answers += 1;
  }
  t.ok(answers > 5, 'each response on a connection has its own timeout');

  const pipelined = connect(target);
  const said = listenTo(pipelined);
  const request = (ms: number): string => `GET /?ms=${ms} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  pipelined.write(request(10) + request(20) + request(5_000));
  t.equal((await said).said.match(/served/g)?.length, 2, 'responses before the late one are written');
  await waitUntil('no request in flight', () => app.servers[0]!.traffic.inFlight === 0);

  const early = connect(target);
  const both = listenTo(early);
  early.write(`${request(200)}`);
  await sleep(250);
  early.write(request(200));
  await sleep(400);
  early.end();
  t.equal((await both).said.match(/served/g)?.length, 2, 'idle time does not count');
});

t.test('without a write timeout, a response may take long', async (t) => {
  const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { writeTimeout: 0 }));
  t.equal((await get({ port: portOf(app) }, '/?ms=400')).body, 'served');
});
