import net, { type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { MAX_STATE_BYTES, MoveKept, keepConnection } from '../../../lib/move/kept.js';
import { type Onward } from '../../../lib/move/sender.js';
import { connected, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

/** A connection that a program keeps and a restart asks for. A successor takes all. */
async function asked(
  t: Test,
  leave: () => unknown,
): Promise<{ readonly client: Socket; readonly accepted: Socket; readonly sent: unknown[] }> {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { client, accepted } = await connected(t, server);
  keepConnection(accepted, { kind: 'test', connection: accepted, leave, isQuiet: () => true });
  const sent: unknown[] = [];
  const onward: Partial<Onward> = {
    open: true,
    hasRoom: true,
    takes: () => true,
    onChange: () => undefined,
    send: async (_, socket, details) => {
      sent.push(details);
      socket.destroy();
      return true;
    },
  };
  const moving = new MoveKept(
    () => true,
    onward as Onward,
    () => t.fail('nothing comes back'),
  );
  t.teardown(() => moving.stop());
  return { client, accepted, sent };
}

t.test('a connection moves with its state', async (t) => {
  const { sent } = await asked(t, () => ({ count: 3 }));
  await waitUntil('the move', () => sent.length === 1);
  t.match(sent[0], { state: { count: 3 }, head: '' });
});

for (const [what, state] of [
  ['too large', 'x'.repeat(MAX_STATE_BYTES)],
  ['not JSON', 1n],
  ['a function', () => 1],
] as const) {
  t.test(`a connection whose state is ${what} is closed: the program has let go of it`, async (t) => {
    const { client, accepted, sent } = await asked(t, () => state);
    let closed = false;
    client.resume().on('close', () => {
      closed = true;
    });
    await waitUntil('the end', () => closed);
    t.ok(accepted.destroyed);
    t.strictSame(sent, []);
  });
}

t.test('a program that throws goes on with the connection, and is asked only once', async (t) => {
  let asks = 0;
  const { client, accepted, sent } = await asked(t, () => {
    asks += 1;
    throw new Error('not this one');
  });
  await waitUntil('the question', () => asks === 1);
  let received = '';
  accepted.on('data', (text) => {
    received += String(text);
  });
  client.write('still here');
  await waitUntil('the text', () => received === 'still here');
  t.equal(asks, 1);
  t.strictSame(sent, []);
});
