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
