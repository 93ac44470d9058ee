import http from 'node:http';
import t from 'tap';
import { HttpConnections } from '../../../gracehttp/http/http-connections.js';
import { MoveConnections } from '../../../gracehttp/http/move-connections.js';
import { type Onward } from '../../../lib/move/sender.js';
import { connected, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

t.test('connections that wait for a place, and come back from a successor that died, get the free places', async (t) => {
  const server = http.createServer();
  const connections = new HttpConnections(server);
  await listening(t, server, { port: 0, host: '127.0.0.1' });
  const sockets = [(await connected(t, server)).accepted, (await connected(t, server)).accepted];
  for (const [index, socket] of sockets.entries()) {
    socket.pause();
    connections.waiting.set(socket, index);
  }
  const underWay: ((taken: boolean) => void)[] = [];
  let open = true;
  const onward: Onward = {
    takes: () => true,
    get hasRoom() {
      return open;
    },
    get open() {
      return open;
    },
    onChange: () => undefined,
    send: () => new Promise((done) => underWay.push(done)),
  };
  const waited: (readonly number[])[] = [];
  connections.onEnd = () => waited.push([...connections.waiting.values()]);
  const moves = new MoveConnections(server, connections, onward);
  await waitUntil('both under way', () => underWay.length === 2);
  t.strictSame([...connections.waiting], []);
  open = false;
  moves.stop();
  // The second one comes back first.
  for (const settle of underWay.reverse()) settle(false);
  await new Promise((done) => setImmediate(done));
  t.strictSame(waited.at(-1), [0, 1], 'they wait in the order in which they came, and the queue hears of it');
  t.notOk(connections.waitingMove, 'places are given again');
});
