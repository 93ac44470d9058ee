import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { ConnectionSender, type Onward, kindOf } from '../../../lib/move/sender.js';
import { ROOT } from '../../support/sources.js';
import { connected, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

const url = (path: string): string => JSON.stringify(pathToFileURL(join(ROOT, 'dist', path)).href);

/** Takes connections of the kind `echo 5` and answers what it reads with its own words; refuses `never 5`. */
const SUCCESSOR = `
  import { takeChannel } from ${url('lib/launch/take-channel.js')};
  import { ConnectionReceiver } from ${url('lib/move/receiver.js')};
  import { socketOf } from ${url('lib/move/handle.js')};
  const channel = takeChannel(process.channel.fd);
  const receiver = new ConnectionReceiver(channel);
  receiver.take('echo 5', (handle, details) => {
    const socket = socketOf(handle);
    socket.on('data', (data) => socket.write('successor ' + JSON.stringify(details) + ' ' + data));
  });
  receiver.take('throws 5', () => { throw new Error('no'); });
  receiver.ended.then(() => process.exit());
  setInterval(() => {}, 1000);
  channel.send({ cmd: 'NODE_GRACE_READY' });
`;

interface Both {
  readonly child: ChildProcess;
  readonly sender: ConnectionSender;
  readonly onward: Onward;
}

async function successor(t: Test, code = SUCCESSOR): Promise<Both> {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', code], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ready = new Promise<void>((done) => {
    child.on('internalMessage', ({ cmd }: { cmd: string }) => {
      if (cmd === 'NODE_GRACE_READY') done();
    });
  });
  const sender = new ConnectionSender(child, ['echo 5', 'never 5', 'throws 5']);
  await ready;
  return { child, sender, onward: sender.onward(5) };
}

/** A connection to this process, and all that its client has received. */
async function connection(t: Test): Promise<{ client: net.Socket; accepted: net.Socket; received: () => string }> {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { client, accepted } = await connected(t, server);
  let received = '';
  client.setEncoding('utf8').on('data', (data: string) => {
    received += data;
  });
  accepted.on('data', (data) => accepted.write(`predecessor ${String(data)}`));
  return { client, accepted, received: () => received };
}

t.test('a connection moves, with what was sent meanwhile; the client notices nothing', async (t) => {
  const { sender, onward } = await successor(t);
  t.ok(onward.takes('echo') && !onward.takes('other') && onward.hasRoom);
  const { client, accepted, received } = await connection(t);
  const sent = onward.send('echo', accepted, { a: 1 });
  client.write('hello');
  t.equal(await sent, true);
  t.ok(accepted.destroyed, 'the own copy is closed');
  await waitUntil('the answer', () => received() !== '');
  t.equal(received(), 'successor {"a":1} hello');
  t.notOk(client.destroyed);
  t.equal(sender.moved, 1);
  sender.close();
});

for (const kind of ['never', 'throws']) {
  t.test(`a connection that the successor does not take is served here: ${kind}`, async (t) => {
    const { sender, onward } = await successor(t);
    const { client, accepted, received } = await connection(t);
    const sent = onward.send(kind, accepted);
    client.write('hello');
    t.equal(await sent, false);
    await waitUntil('the answer', () => received() !== '');
    t.equal(received(), 'predecessor hello');
    t.equal(sender.moved, 0);
    sender.close();
  });
}

t.test('a successor that stops takes nothing: what moves then is served here', async (t) => {
  const stops = SUCCESSOR.replace('receiver.ended.then(() => process.exit());', 'receiver.refuse();');
  const { sender, onward } = await successor(t, stops);
  const { client, accepted, received } = await connection(t);
  const sent = onward.send('echo', accepted);
  client.write('hello');
  t.equal(await sent, false);
  await waitUntil('the answer', () => received() !== '');
  t.equal(received(), 'predecessor hello');
  sender.close();
});

t.test('a connection that was under way when the successor died is served here', async (t) => {
  const { child, onward } = await successor(t);
  const { client, accepted, received } = await connection(t);
  child.kill('SIGSTOP');
  const sent = onward.send('echo', accepted);
  client.write('hello');
  child.kill('SIGKILL');
  t.equal(await sent, false);
  await waitUntil('the answer', () => received() !== '');
  t.equal(received(), 'predecessor hello');
  t.notOk(onward.open || onward.hasRoom || onward.takes('echo'));
});

t.test('a descriptor that is lost on the way is noticed: the connection is served here', async (t) => {
  // A successor that never says what became of the connection, only that it has read the question after it.
  const forgetful = `
    import { takeChannel } from ${url('lib/launch/take-channel.js')};
    const channel = takeChannel(process.channel.fd);
    process.on('internalMessage', ({ cmd, id }, handle) => {
      handle?.close();
      if (cmd === 'NODE_GRACE_ASK') channel.send({ cmd: 'NODE_GRACE_ANSWER', id });
    });
    setInterval(() => {}, 1000);
    channel.send({ cmd: 'NODE_GRACE_READY' });
  `;
  const { sender, onward } = await successor(t, forgetful);
  const { client, accepted, received } = await connection(t);
  client.write('hello');
  t.equal(await onward.send('echo', accepted), false);
  await waitUntil('the answer', () => received() !== '');
  t.equal(received(), 'predecessor hello');
  sender.close();
});

t.test('few connections are under way at the same time, and there is room again when they have arrived', async (t) => {
  const { sender, onward } = await successor(t);
  const moved: Promise<boolean>[] = [];
  while (onward.hasRoom) {
    const { accepted } = await connection(t);
    moved.push(onward.send('echo', accepted));
    if (moved.length > 100) break;
  }
  t.ok(moved.length > 0);
  t.ok((await Promise.all(moved)).every(Boolean));
  t.ok(onward.hasRoom);
  sender.close();
});

t.test('a kind is named with the descriptor of its listening socket', async (t) => {
  t.equal(kindOf('http/1.1', 5), 'http/1.1 5');
});
