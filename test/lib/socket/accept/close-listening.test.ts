import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import t from 'tap';
import { closeWhenQuiet } from '../../../../lib/socket/accept/close-listening.js';
import { portOf } from '../../../support/address.js';
import { listening } from '../../../support/sockets.js';

const BACKLOG = 511;
const LATE = 300;

interface HasHandle {
  readonly _handle: { listen(backlog: number): number };
}

t.test('connections that come while the queue is filled are accepted before it is closed', async (t) => {
  const server = await listening(
    t,
    net.createServer((socket) => socket.end('whole')),
    { port: 0, host: '127.0.0.1', backlog: BACKLOG },
  );
  const handle = (server as unknown as HasHandle)._handle;
  const native = handle.listen.bind(handle);
  const clients: Socket[] = [];
  const connect = (count: number): void => {
    for (let index = 0; index < count; index += 1) clients.push(net.connect(portOf(server), '127.0.0.1'));
  };
  let calls = 0;
  handle.listen = (backlog) => {
    calls += 1;
    const result = native(backlog);
    // One comes into the queue before the two that fill it, and many when there is room again.
    if (calls === 1) connect(1);
    if (calls === 2) connect(LATE);
    return result;
  };
  await closeWhenQuiet(server, BACKLOG);
  t.ok(calls > 2, 'it was tried again');
  const texts = await Promise.all(
    clients.map(async (client) => {
      const [text] = (await once(client, 'data')) as [Buffer];
      return text.toString();
    }),
  );
  t.strictSame(
    texts,
    Array.from({ length: LATE + 1 }, () => 'whole'),
  );
});
