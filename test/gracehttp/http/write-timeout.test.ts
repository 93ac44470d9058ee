import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { createServer } from '../../../gracehttp/create-server.js';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { connect, get, listenTo } from '../../support/http/client.js';
import { recordReports } from '../../support/reports.js';
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
    if (body !== 'served') t.fail(body);
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

t.test('what is cut off is said, without the query, and at most a tenth late', async (t) => {
  const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { writeTimeout: 2_000, readTimeout: 0 }));
  const reports = recordReports(t);
  const target = { port: portOf(app) };
  const begin = performance.now();
  const late = t.rejects(get(target, '/report?ms=9000&token=secret'), { code: 'ECONNRESET' });
  // The event loop is busy meanwhile: a count of checks would be behind the clock.
  await sleep(20);
  const end = performance.now() + 1_500;
  while (performance.now() < end);
  await late;
  const took = performance.now() - begin;
  t.ok(took >= 1_999 && took < 3_000, `after ${took.toFixed()} ms`);
  await waitUntil('the warning', () => reports.length > 0);
  t.strictSame(reports, ['warning: cut off after a writeTimeout of 2000 ms: GET /report']);

  const answers = Array.from({ length: 5 }, () => t.rejects(get(target, '/many?ms=5000'), { code: 'ECONNRESET' }));
  await Promise.all(answers);
  await waitUntil('the warning', () => reports.length > 1);
  t.ok(reports.length < 5, 'one line for each check');
  t.match(reports[1], /GET \/many$/);
});

t.test('server-sent events are not ended, however their type is set', async (t) => {
  const app = await serveHere(
    t,
    { drainTimeout: 200 },
    createServer(
      '127.0.0.1:0',
      (request, response) => {
        if (request.url === '/set') response.setHeader('content-type', 'text/event-stream; charset=utf-8');
        else response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        const timer = setInterval(() => response.write('data: x\n\n'), 50);
        response.on('close', () => clearInterval(timer));
      },
      { writeTimeout: 200 },
    ),
  );
  for (const path of ['/set', '/head']) {
    const request = http.get({ port: portOf(app), host: '127.0.0.1', path, agent: false });
    request.on('error', () => undefined);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let events = 0;
    response.on('error', () => undefined).on('data', () => (events += 1));
    await waitUntil('events for three timeouts', () => events >= 12 || response.closed);
    t.notOk(response.closed, path);
    request.destroy();
  }
});

t.test('the response of an idle connection is not kept', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const responses: WeakRef<http.ServerResponse>[] = [];
  const server = createServer(
    '127.0.0.1:0',
    (_, response) => {
      responses.push(new WeakRef(response));
      response.end('served');
    },
    { writeTimeout: 200 },
  );
  const app = await serveHere(t, {}, server);
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  await Promise.all(Array.from({ length: 20 }, () => get({ port: portOf(app) }, '/', { agent })));
  await waitUntil('the responses to be forgotten', () => {
    collect();
    return responses.filter((each) => each.deref() !== undefined).length === 0;
  });
  t.equal(app.servers[0]!.traffic.open, 20, 'while their connections are open');
});

t.test('without a write timeout, a response may take long', async (t) => {
  const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { writeTimeout: 0 }));
  t.equal((await get({ port: portOf(app) }, '/?ms=400')).body, 'served');
});
