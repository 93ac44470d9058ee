import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import { holdClose } from '../../../../gracehttp/auto/hold/close.js';
import { connected, listening } from '../../../support/sockets.js';

t.test('while the process serves, close() does what it always does', async (t) => {
  const server = await listening(t, http.createServer(), { port: 0, host: '127.0.0.1' });
  let closed = 0;
  holdClose(server, { holds: () => false, drained: async () => undefined, onClosed: () => (closed += 1) });
  await new Promise((done) => server.close(done));
  t.notOk(server.listening);
  t.equal(closed, 1, 'its socket file is removed');
  const error = await new Promise((done) => server.close(done));
  t.match(error, { code: 'ERR_SERVER_NOT_RUNNING' });
});

t.test('while it drains, close() calls back when the server has drained, and connections stay', async (t) => {
  const server = await listening(t, http.createServer(), { port: 0, host: '127.0.0.1' });
  const { client, accepted } = await connected(t, server);
  let onDrained = (): void => undefined;
  const drained = new Promise<void>((done) => {
    onDrained = done;
  });
  holdClose(server, { holds: () => true, drained: () => drained, onClosed: () => t.fail('the program did not close it') });
  let called = false;
  t.equal(
    server.close(() => (called = true)),
    server,
  );
  server.close();
  server.closeIdleConnections();
  server.closeAllConnections();
  await new Promise((done) => setImmediate(done));
  t.ok(server.listening, 'what listens is not the program’s business any more');
  t.notOk(accepted.destroyed || called);
  onDrained();
  await drained;
  await new Promise((done) => setImmediate(done));
  t.ok(called);
  client.destroy();
  await once(accepted, 'close');
});

t.test('a net.Server has no closeIdleConnections()', async (t) => {
  const server = net.createServer();
  holdClose(server, { holds: () => true, drained: async () => undefined, onClosed: () => undefined });
  t.notOk('closeIdleConnections' in server);
});
