import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import { expectNoRequest, hasBegun, seesBegunRequests } from '../../../gracehttp/http/begun-requests.js';
import { rawClient } from '../../support/http/raw-client.js';
import { portOf } from '../../support/address.js';
import { listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const HEADERS_TIMEOUT_MS = 200;

t.test('a request has begun from its first byte on, also if that came with the request before', async (t) => {
  const server = await listening(
    t,
    http.createServer((_, response) => response.end()),
    { port: 0, host: '127.0.0.1' },
  );
  t.ok(seesBegunRequests(server));
  const accepting = once(server, 'connection') as Promise<[net.Socket]>;
  const client = await rawClient(t, portOf(server));
  const [socket] = await accepting;
  t.notOk(hasBegun(server, socket), 'silent');
  client.send('GET / HT');
  await waitUntil('bytes', () => socket.bytesRead > 0);
  t.ok(hasBegun(server, socket), 'half a head');
  client.send('TP/1.1\r\nHost: localhost\r\n\r\n');
  await client.answered(1);
  t.notOk(hasBegun(server, socket), 'answered');
  client.send(`${GET}GET / HT`);
  await client.answered(2);
  t.ok(hasBegun(server, socket), 'half of the next head came with a request');
});

for (const expects of [false, true]) {
  t.test(
    `a connection that was given to a server gets ${expects ? 'no 408, and its next request is answered' : 'a 408 after headersTimeout, so this test sees the difference'}`,
    async (t) => {
      const options = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: 20 };
      const server = await listening(
        t,
        http.createServer(options, (request, response) => {
          response.end(String(Object.getPrototypeOf(request.socket) === net.Socket.prototype));
        }),
        { port: 0, host: '127.0.0.1' },
      );
      const door = await listening(
        t,
        net.createServer((socket) => {
          server.emit('connection', socket);
          if (expects) expectNoRequest(socket);
        }),
        { port: 0, host: '127.0.0.1' },
      );
      const client = await rawClient(t, portOf(door));
      if (!expects) {
        t.equal((await client.answered(1))[0]!.status, 408);
        return;
      }
      await new Promise((done) => setTimeout(done, 4 * HEADERS_TIMEOUT_MS));
      t.equal(client.received, '');
      client.send(GET);
      t.equal((await client.answered(1))[0]!.status, 200);
      const slow = await rawClient(t, portOf(door));
      slow.send('GET / HT');
      t.equal((await slow.answered(1))[0]!.status, 408, 'the head of the next request has a time limit');
    },
  );
}
