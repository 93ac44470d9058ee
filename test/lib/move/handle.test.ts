import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { handleOf, readOn, socketOf, stopReading } from '../../../lib/move/handle.js';
import { scratch } from '../../support/scratch.js';
import { connected, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

const TURNS = 5;

/** Waits until the event loop has polled a few times, so that anything that is read would be there. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((done) => setImmediate(done));
}

for (const where of [{ port: 0, host: '127.0.0.1' }, 'unix'] as const) {
  t.test(
    `stopReading() leaves what comes in the kernel, whatever the program does with the stream; readOn() reads it: ${where === 'unix' ? 'unix' : 'TCP'}`,
    async (t) => {
      const server = await listening(t, net.createServer(), where === 'unix' ? { path: join(scratch(t), 'socket') } : where);
      const { client, accepted } = await connected(t, server);
      let read = '';
      accepted.setEncoding('utf8').on('data', (text: string) => {
        read += text;
      });
      client.write('one');
      await waitUntil('the first piece', () => read === 'one');
      t.ok(stopReading(accepted));
      const before = accepted.bytesRead;
      await new Promise((done) => client.write('two', done));
      await turns();
      accepted.resume();
      accepted.read(0);
      await turns();
      t.equal(accepted.bytesRead, before);
      t.equal(read, 'one');
      readOn(accepted);
      await waitUntil('the second piece', () => read === 'onetwo');
    },
  );
}

t.test('an HTTP connection is stopped between two requests, and goes on', async (t) => {
  let answered = 0;
  const server = await listening(
    t,
    http.createServer((_, response) => response.end(String((answered += 1)))),
    { port: 0, host: '127.0.0.1' },
  );
  const { client, accepted } = await connected(t, server);
  const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
  client.resume();
  client.write(request);
  await waitUntil('an answer', () => answered === 1);
  t.ok(stopReading(accepted));
  client.write(request);
  await turns();
  t.equal(answered, 1);
  readOn(accepted);
  await waitUntil('the second answer', () => answered === 2);
});

t.test('a connection that is closed has no handle', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { accepted } = await connected(t, server);
  t.ok(handleOf(accepted));
  accepted.destroy();
  t.equal(handleOf(accepted), undefined);
  t.notOk(stopReading(accepted));
  readOn(accepted);
});

t.test('socketOf() makes a connection of a handle, as the server itself does', async (t) => {
  const server = await listening(t, net.createServer({ allowHalfOpen: true }), { port: 0, host: '127.0.0.1' });
  const { client, accepted } = await connected(t, server);
  const socket = socketOf(handleOf(accepted)!, server);
  t.equal(socket.allowHalfOpen, true);
  t.equal(socket.remotePort, client.localPort);
  socket.write('hello');
  t.equal(String(((await once(client, 'data')) as [Buffer])[0]), 'hello');
  socket.destroy();
});
