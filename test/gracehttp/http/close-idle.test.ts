import net from 'node:net';
import t from 'tap';
import { closeIdle } from '../../../gracehttp/http/close-idle.js';
import { connected, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

const IDLE_MS = 60;

/** Keeps the event loop busy. */
function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

t.test('closes connections that are idle for the timeout, and no others', async (t) => {
  const server = await listening(
    t,
    net.createServer((socket) => socket.resume()),
    { port: 0, host: '127.0.0.1' },
  );
  const ends = { silent: await connected(t, server), speaking: await connected(t, server), busy: await connected(t, server) };
  const sockets = Object.values(ends).map(({ accepted }) => accepted);
  const speak = setInterval(() => ends.speaking.client.write('x'), IDLE_MS / 6);
  const start = performance.now();
  const stop = closeIdle({ sockets: () => sockets, isIdle: (socket) => socket !== ends.busy.accepted }, IDLE_MS);
  t.teardown(() => {
    clearInterval(speak);
    stop();
  });
  await waitUntil('the silent one to close', () => ends.silent.accepted.destroyed);
  t.ok(performance.now() - start >= IDLE_MS - 1, 'not before the timeout');
  await new Promise((done) => setTimeout(done, 2 * IDLE_MS));
  t.notOk(ends.speaking.accepted.destroyed, 'received bytes count as activity');
  t.notOk(ends.busy.accepted.destroyed, 'a request in flight keeps its connection');
  clearInterval(speak);
  await waitUntil('the other one to close', () => ends.speaking.accepted.destroyed);
});

t.test('a timeout of 0 closes idle connections at once', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { accepted } = await connected(t, server);
  t.teardown(closeIdle({ sockets: () => [accepted], isIdle: () => true }, 0));
  await waitUntil('it to close', () => accepted.destroyed);
});

t.test('after it is stopped it closes nothing', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { accepted } = await connected(t, server);
  const stop = closeIdle({ sockets: () => [accepted], isIdle: () => true }, 10);
  stop();
  await new Promise((done) => setTimeout(done, 50));
  t.notOk(accepted.destroyed);
});

t.test('after a computation it looks again before it closes: requests may be unread', async (t) => {
  const server = await listening(
    t,
    net.createServer((socket) => socket.resume()),
    { port: 0, host: '127.0.0.1' },
  );
  for (let round = 0; round < 10; round += 1) {
    const { client, accepted } = await connected(t, server);
    let looks = 0;
    const stop = closeIdle({ sockets: () => [accepted], isIdle: () => (looks += 1) > 0 }, IDLE_MS);
    await waitUntil('the first look', () => looks > 0);
    // The kernel has these bytes, and the timer is due, before Node.js reads again.
    client.write('x');
    compute(2 * IDLE_MS);
    const before = looks;
    await waitUntil('two more looks', () => looks >= before + 2);
    t.notOk(accepted.destroyed, `still open, round ${round}`);
    stop();
  }
});

t.test('many connections are closed without blocking the event loop', async (t) => {
  const sockets = Array.from({ length: 2_000 }, () => new net.Socket());
  let turns = 0;
  let spinning = true;
  const spin = (): void => {
    turns += 1;
    if (spinning) setImmediate(spin);
  };
  // Each takes longer here than a real one, so that too few turns would be noticed.
  const stop = closeIdle(
    {
      sockets: () => sockets,
      isIdle: () => {
        compute(0.01);
        return true;
      },
    },
    0,
  );
  t.teardown(stop);
  spin();
  await waitUntil('all to close', () => sockets.every(({ destroyed }) => destroyed));
  spinning = false;
  t.ok(turns >= 3, `${turns} turns of the event loop in between`);
});
