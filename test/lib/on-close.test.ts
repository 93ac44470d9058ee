import net, { type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import t from 'tap';
import { closeWatcher } from '../../lib/on-close.js';
import { connected, listening } from '../support/sockets.js';
import { waitUntil } from '../support/wait.js';

t.test('each end of a connection is noticed once, after the listeners of the program', async (t) => {
  const ends: Record<string, (accepted: Socket, client: Socket) => void> = {
    'it is destroyed': (accepted) => accepted.destroy(),
    'it is reset': (accepted) => accepted.resetAndDestroy(),
    'both sides end': (accepted, client) => {
      client.end();
      accepted.end();
    },
    'it has an error': (accepted) => accepted.on('error', () => undefined).destroy(new Error('broken')),
  };
  for (const [name, end] of Object.entries(ends)) {
    const order: string[] = [];
    const watch = closeWatcher((socket) => order.push(socket === accepted ? 'noticed' : 'another one'));
    const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
    const { client, accepted } = await connected(t, server);
    accepted.on('close', () => order.push('close')).resume();
    client.on('error', () => undefined).resume();
    const before = accepted.listenerCount('close');
    watch(accepted);
    t.equal(accepted.listenerCount('close'), before, `${name}: no listener of ours until then`);
    end(accepted, client);
    await waitUntil(name, () => order.length >= 2);
    t.strictSame(order, ['close', 'noticed'], name);
  }
});

t.test('connections that two parts watch, streams with a destroy() of their own, and those that are destroyed already', async (t) => {
  const noticed: string[] = [];
  const [one, two] = [closeWatcher(() => noticed.push('one')), closeWatcher(() => noticed.push('two'))];
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { accepted } = await connected(t, server);
  one(accepted);
  two(accepted);
  accepted.destroy();
  await waitUntil('both', () => noticed.length === 2);
  const stream = new Duplex({ destroy: (error, done) => done(error) }) as unknown as Socket;
  one(stream);
  stream.destroy();
  await waitUntil('the stream', () => noticed.length === 3);
  const gone = new net.Socket();
  gone.destroy();
  one(gone);
  await waitUntil('the one that is destroyed already', () => noticed.length === 4);
  t.strictSame([...noticed].sort(), ['one', 'one', 'one', 'two']);
});
