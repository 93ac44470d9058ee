import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { OwnConnections } from '../../../../lib/socket/accept/own-connections.js';
import { portOf } from '../../../support/address.js';
import { scratch } from '../../../support/scratch.js';
import { listening } from '../../../support/sockets.js';
import { waitUntil } from '../../../support/wait.js';

const BACKLOG = 511;
/** The kernel sends a SYN again after a second. */
const SYN_AGAIN_MS = 1_000;

/** How a connection fails. */
async function failureOf(client: Socket): Promise<string | undefined> {
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  return error.code;
}

for (const host of ['127.0.0.1', '0.0.0.0', '::1', '::']) {
  t.test(`${host}: who comes between the last accept and close() is refused, and not reset`, async (t) => {
    const server = await listening(t, net.createServer(), { port: 0, host });
    const accepted: Socket[] = [];
    server.on('connection', (socket) => accepted.push(socket));
    const target = { port: portOf(server), host: host.includes(':') ? '::1' : '127.0.0.1' };
    const own = new OwnConnections(server, BACKLOG);
    t.equal(await own.fill(), true);
    const late = net.connect(target);
    const failure = failureOf(late);
    const begin = performance.now();
    // Its connect(2) is called in the next tick, as those of the queue were.
    await new Promise<void>((done) => process.nextTick(done));
    net.Server.prototype.close.call(server);
    own.end();
    t.equal(await failure, 'ECONNREFUSED');
    t.ok(performance.now() - begin >= SYN_AGAIN_MS * 0.9, 'the kernel had dropped its SYN');
    t.equal(accepted.length, 0);
  });
}

t.test('its own connections are known if they were accepted, and it goes on with the old backlog', async (t) => {
  // As in a stop: they are not read, so that they do not end either.
  const server = await listening(t, net.createServer({ pauseOnConnect: true }), { port: 0, host: '127.0.0.1' });
  const accepted: Socket[] = [];
  server.on('connection', (socket) => accepted.push(socket));
  const waiting = net.connect(portOf(server), '127.0.0.1');
  await new Promise<void>((done) => process.nextTick(done));
  const own = new OwnConnections(server, BACKLOG);
  t.equal(await own.fill(), false, 'it waits in the queue');
  await waitUntil('an own one behind it', () => accepted.some((socket) => own.has(socket)));
  t.equal(await own.fill(), true);
  const others = accepted.filter((socket) => !own.has(socket));
  t.equal(others.length, 1);
  t.equal(others[0]!.remotePort, waiting.localPort, 'the one that waited was accepted before');
  net.Server.prototype.close.call(server);
  own.end();
  others[0]!.end('whole');
  const [text] = (await once(waiting, 'data')) as [Buffer];
  t.equal(text.toString(), 'whole');
});

t.test('a unix socket, and a server that does not listen, stay as they are', async (t) => {
  const server = await listening(t, net.createServer(), join(scratch(t), 'app.sock'));
  for (const one of [server, net.createServer()]) {
    const own = new OwnConnections(one, BACKLOG);
    t.equal(await own.fill(), true, 'there is nothing to fill');
    own.end();
    t.notOk(own.has(new net.Socket()));
  }
  t.ok(server.listening);
});
