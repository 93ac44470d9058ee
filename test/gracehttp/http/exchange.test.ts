import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import t from 'tap';
import { currentResponse, followExchanges, isFollowed } from '../../../gracehttp/http/exchange.js';
import { portOf } from '../../support/address.js';
import { rawClient } from '../../support/http/raw-client.js';
import { listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';

t.test('a handler gets the exchanges of its own server only', async (t) => {
  const order: string[] = [];
  const make = (name: string): http.Server =>
    http.createServer((request, response) => {
      order.push(`${name} handles ${request.url}`);
      response.end('x');
    });
  const [followed, other, second] = [make('followed'), make('other'), make('second')];
  for (const [name, server] of [
    ['followed', followed],
    ['second', second],
  ] as const) {
    followExchanges(server, {
      onRequest: ({ request, socket, response }) =>
        order.push(`${name} starts ${request.url} ${socket === request.socket} ${response.headersSent}`),
      onResponse: ({ response }) => order.push(`${name} answered ${response.statusCode}`),
    });
  }
  for (const server of [followed, other, second]) {
    await listening(t, server, { port: 0, host: '127.0.0.1' });
    const client = await rawClient(t, portOf(server));
    client.send(GET);
    await client.answered(1);
  }
  await waitUntil('the last answer', () => order.includes('second answered 200'));
  t.strictSame(order, [
    'followed starts /a true false',
    'followed handles /a',
    'followed answered 200',
    'other handles /a',
    'second starts /a true false',
    'second handles /a',
    'second answered 200',
  ]);
});

t.test('requests with an Expect header are followed too', async (t) => {
  for (const [event, expect] of [
    ['checkContinue', '100-continue'],
    ['checkExpectation', 'something'],
  ] as const) {
    const server = http.createServer();
    server.on(event, (_, response: http.ServerResponse) => response.end('x'));
    let started = 0;
    followExchanges(server, { onRequest: () => (started += 1), onResponse: () => undefined });
    await listening(t, server, { port: 0, host: '127.0.0.1' });
    const client = await rawClient(t, portOf(server));
    client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: ${expect}\r\n\r\n`);
    await client.answered(1);
    t.equal(started, 1, event);
  }
});

t.test('a response that breaks off starts and never finishes', async (t) => {
  const server = http.createServer((_, response) => response.write('x'));
  const order: string[] = [];
  followExchanges(server, { onRequest: () => order.push('started'), onResponse: () => order.push('answered') });
  await listening(t, server, { port: 0, host: '127.0.0.1' });
  const closed = once(server, 'connection').then(([socket]) => once(socket as NodeJS.EventEmitter, 'close'));
  const client = await rawClient(t, portOf(server));
  client.send(GET);
  await waitUntil('the first bytes', () => client.received !== '');
  client.destroy();
  await closed;
  t.strictSame(order, ['started']);
});

t.test('exchanges are followed until that is ended', async (t) => {
  const server = http.createServer((_, response) => response.end('x'));
  await listening(t, server, { port: 0, host: '127.0.0.1' });
  let started = 0;
  const stop = followExchanges(server, { onRequest: () => (started += 1), onResponse: () => undefined });
  const client = await rawClient(t, portOf(server));
  client.send(GET);
  await client.answered(1);
  stop();
  stop();
  client.send(GET);
  await client.answered(2);
  t.equal(started, 1);
});

t.test('the response in flight is found without following, and whether a request waits behind it', async (t) => {
  const pending: http.ServerResponse[] = [];
  const server = http.createServer((_, response) => pending.push(response));
  await listening(t, server, { port: 0, host: '127.0.0.1' });
  const accepting = once(server, 'connection') as Promise<[net.Socket]>;
  const client = await rawClient(t, portOf(server));
  const [socket] = await accepting;
  t.equal(currentResponse(socket), undefined, 'silent');
  client.send(GET);
  await waitUntil('a request', () => pending.length === 1);
  t.equal(currentResponse(socket), pending[0]);
  t.equal(isFollowed(pending[0]!.req, socket), false);
  client.send(GET);
  await waitUntil('a further request', () => pending.length === 2);
  t.equal(currentResponse(socket), pending[0], 'the first one is written first');
  t.equal(isFollowed(pending[0]!.req, socket), true);
  t.equal(isFollowed(pending[1]!.req, socket), false);
  pending[0]!.end('x');
  await client.answered(1);
  t.equal(currentResponse(socket), pending[1]);
  pending[1]!.end('x');
  await client.answered(2);
  await waitUntil('the end of the response', () => currentResponse(socket) === undefined);
});

t.test('in a Node.js version that does not show the response, it is found by following all requests', (t) => {
  const module = new URL('../../../gracehttp/http/exchange.js', import.meta.url).href;
  const program = `
    import http from 'node:http';
    import { once } from 'node:events';
    import { hasSubscribers } from 'node:diagnostics_channel';
    const { assignSocket } = http.ServerResponse.prototype;
    http.ServerResponse.prototype.assignSocket = function (...args) { return Reflect.apply(assignSocket, this, args); };
    const { currentResponse } = await import(${JSON.stringify(module)});
    const server = http.createServer((request, response) => {
      console.log(hasSubscribers('http.server.request.start'), currentResponse(request.socket) === response);
      response.end('x');
    }).listen(0, '127.0.0.1');
    const accepting = once(server, 'connection');
    await once(server, 'listening');
    http.get({ port: server.address().port, host: '127.0.0.1', agent: false }, (answer) => answer.resume().on('end', async () => {
      const [socket] = await accepting;
      console.log(currentResponse(socket));
      process.exit();
    }));
  `;
  t.equal(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }), 'true true\nundefined\n');
  t.end();
});
