import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { Connections } from '../../../lib/socket/connections.js';
import { connected, listening } from '../../support/sockets.js';

t.test('connections are followed from accept to close', async (t) => {
  const server = net.createServer();
  let notes = 0;
  const connections = new Connections(server, () => ({ number: (notes += 1) }));
  await listening(t, server, { port: 0, host: '127.0.0.1' });
  t.equal(connections.size, 0);
  await connections.none();

  const first = await connected(t, server);
  const second = await connected(t, server);
  t.equal(connections.size, 2);
  t.strictSame(
    [...connections].map(([, note]) => note),
    [{ number: 1 }, { number: 2 }],
  );
  t.strictSame(connections.get(second.accepted), { number: 2 });
  t.equal(connections.get(first.client), undefined, "the client's end is not a connection of the server");

  let over = 0;
  const waiting = [connections.none(), connections.none()].map((none) => none.then(() => (over += 1)));
  first.accepted.destroy();
  await once(first.accepted, 'close');
  t.equal(connections.size, 1);
  t.equal(over, 0, 'one connection is left');
  second.client.end();
  second.accepted.end().resume();
  await Promise.all(waiting);
  t.equal(over, 2, 'all promises are fulfilled');
  t.equal(connections.size, 0);
});

t.test('a connection that comes back waits at its old place', async (t) => {
  const connections = new Connections(net.createServer(), () => undefined);
  const [first, second, third] = [new net.Socket(), new net.Socket(), new net.Socket()];
  connections.waiting.set(first, 10).set(third, 30);
  connections.waitAgain(second, 20);
  t.strictSame([...connections.waiting.values()], [10, 20, 30]);
  t.strictSame([...connections.waiting.keys()].indexOf(second), 1);
});

t.test('destroyAll', async (t) => {
  const server = net.createServer();
  const connections = new Connections(server, () => undefined);
  await listening(t, server, { port: 0, host: '127.0.0.1' });
  const ends = [await connected(t, server), await connected(t, server), await connected(t, server)];
  connections.destroyAll();
  await connections.none();
  t.ok(ends.every(({ accepted }) => accepted.destroyed));
  t.equal(connections.size, 0);
});

t.test('a connection gets no listener and no function of its own', async (t) => {
  const server = net.createServer();
  new Connections(server, () => undefined);
  await listening(t, server, { port: 0, host: '127.0.0.1' });
  const { accepted: a } = await connected(t, server);
  const { accepted: b } = await connected(t, server);
  const plain = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  t.equal(a.listenerCount('close'), (await connected(t, plain)).accepted.listenerCount('close'));
  t.equal(Reflect.get(a, '_destroy'), Reflect.get(b, '_destroy'), 'the same function for each');
});
