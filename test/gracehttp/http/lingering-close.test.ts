import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { connectionHeaders, drain, held } from '../../support/http/held-server.js';
import { rawClient } from '../../support/http/raw-client.js';

const UPLOAD_BYTES = 1024 * 1024;
/** More than the client's receive buffer holds, and less than the kernel takes from the server. */
const RESPONSE_BYTES = 1024 * 1024;

t.test('a response that is sent before the upload is read reaches the client', async (t) => {
  for (const head of [`Content-Length: ${UPLOAD_BYTES}`, 'Transfer-Encoding: chunked']) {
    const { held: server, app, client: silent, port } = await held(t, { idleTimeout: 10_000 });
    silent.destroy();
    // It reads only after the server has written its response: a reset would drop what the kernel still has of it.
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).pause();
    await once(socket, 'connect');
    const half = 'x'.repeat(UPLOAD_BYTES / 2);
    const chunk = head.startsWith('Transfer') ? `${half.length.toString(16)}\r\n${half}\r\n` : half;
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\n${chunk}`);
    await server.received(1);
    const written = once(server.response(0), 'close');
    await drain(app);
    server.response(0).writeHead(413, { 'Content-Length': RESPONSE_BYTES }).end('y'.repeat(RESPONSE_BYTES));
    await written;
    socket.write(chunk === half ? half : `${chunk}0\r\n\r\n`);
    await new Promise((done) => setTimeout(done, 50));
    const client = await rawClient(t, socket.resume());
    t.equal(await client.untilEnded(), 'end', 'without a reset');
    t.equal(client.answers[0]?.body.length, RESPONSE_BYTES, head);
    t.strictSame(connectionHeaders(client), ['close']);
    socket.end();
    t.match(await app.wait(), { code: 0 });
  }
});

t.test('an upload that never ends does not hold the drain after its response', async (t) => {
  const { held: server, app, port } = await held(t, { idleTimeout: 50 });
  const client = await rawClient(t, net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx');
  await server.received(1);
  await drain(app);
  server.response(0).end('x');
  t.match(await app.wait(), { code: 0, cutOff: [] });
  t.match(client.answers, [{ body: 'x' }]);
});

t.test('a client that sends its upload slowly is closed two seconds after its response', async (t) => {
  const { held: server, app, client: silent, port } = await held(t, { idleTimeout: 10_000 });
  silent.destroy();
  const client = await rawClient(t, net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx');
  await server.received(1);
  await drain(app);
  const trickle = setInterval(() => client.send('x'), 100);
  t.teardown(() => clearInterval(trickle));
  const begin = performance.now();
  server.response(0).end('x');
  t.match(await app.wait(), { code: 0, cutOff: [] });
  const took = performance.now() - begin;
  t.ok(took >= 1_900 && took < 5_000, `after ${took.toFixed()} ms`);
  t.match(client.answers, [{ body: 'x' }]);
});

t.test('a function that the program has put over destroySoon stays', async (t) => {
  const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nx');
  await server.received(1);
  await drain(app);
  server.response(0).writeHead(200, { 'Content-Length': 1 });
  const socket = server.pending[0]!.request.socket as net.Socket & { destroySoon: () => void };
  const { destroySoon } = socket;
  let calls = 0;
  socket.destroySoon = () => {
    calls += 1;
    destroySoon.call(socket);
  };
  const wrapped = socket.destroySoon;
  server.response(0).end('x');
  await client.untilEnded();
  client.send('yz');
  t.match(await app.wait(), { code: 0 });
  t.equal(socket.destroySoon, wrapped);
  t.ok(calls > 0);
});

t.test(
  'a client that pipelines may send its next requests after the last answer: no reset, and the program does not get them',
  async (t) => {
    const { held: server, app, client: silent, port } = await held(t, { idleTimeout: 10_000 });
    silent.destroy();
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    const client = await rawClient(t, socket);
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await server.received(1);
    await drain(app);
    server.response(0).end('last');
    t.equal(await client.untilEnded(), 'end');
    const failures: string[] = [];
    socket.on('error', ({ message }) => failures.push(message));
    for (let request = 0; request < 20; request += 1) {
      await new Promise<void>((done) => socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n', () => done()));
    }
    t.equal(app.state, 'draining', 'it reads until the client closes');
    socket.end();
    t.match(await app.wait(), { code: 0, cutOff: [] });
    t.strictSame(failures, []);
    t.equal(server.pending.length, 1);
    t.strictSame(connectionHeaders(client), ['close']);
  },
);
