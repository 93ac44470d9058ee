import { once } from 'node:events';
import http2 from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { leave, type LeaveTimes } from '../../../gracehttp/http2/leave.js';
import { nextTurn } from '../../../lib/deadline.js';
import { OpenSession } from '../../../gracehttp/http2/open-session.js';
import { portOf } from '../../support/address.js';
import { waitUntil } from '../../support/wait.js';

/** Longer than any test. */
const LONG_MS = 60_000;
const TIMES: LeaveTimes = { idleTimeout: LONG_MS, pause: LONG_MS, patience: LONG_MS };

interface Served {
  readonly open: OpenSession;
  readonly client: http2.ClientHttp2Session;
  readonly streams: http2.ServerHttp2Stream[];
  /** What the client saw, in order. */
  readonly seen: string[];
  /** Sends a request; its answer is seen by its name. */
  ask(name: string): void;
  answer(index: number): void;
}

async function serve(t: Test): Promise<Served> {
  const [streams, sessions, seen]: [http2.ServerHttp2Stream[], OpenSession[], string[]] = [[], [], []];
  const server = http2.createServer();
  server.on('session', (session) => sessions.push(new OpenSession(session)));
  server.on('stream', (stream) => streams.push(stream.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = http2.connect(`http://127.0.0.1:${portOf(server)}`);
  client
    .on('error', () => undefined)
    .once('goaway', () => seen.push('GOAWAY'))
    .on('close', () => seen.push('close'));
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  await waitUntil('the session', () => sessions.length === 1);
  return {
    open: sessions[0]!,
    client,
    streams,
    seen,
    ask: (name) =>
      void client
        .request()
        .resume()
        .on('error', ({ message }) => seen.push(message))
        .on('end', () => seen.push(name)),
    answer: (index) => streams[index]!.respond({ ':status': 200 }, { endStream: true }),
  };
}

t.test('a request that comes while GOAWAY is prepared waits, and is answered after it', async (t) => {
  const { open, streams, seen, ask, answer } = await serve(t);
  ask('first');
  await waitUntil('the stream', () => streams.length === 1);
  const left = leave(open, TIMES);
  ask('second');
  await waitUntil('both', () => streams.length === 2);
  t.equal(open.session.closed, true, 'the program gets it after GOAWAY');
  await waitUntil('GOAWAY', () => seen.length === 1);
  answer(0);
  answer(1);
  await left;
  t.strictSame(seen.slice(0, 3).sort(), ['GOAWAY', 'first', 'second']);
});

t.test('so does the first request of a new session', async (t) => {
  const { open, streams, seen, ask, answer } = await serve(t);
  const left = leave(open, TIMES);
  ask('first');
  await waitUntil('the stream', () => streams.length === 1);
  t.equal(open.session.closed, true);
  await waitUntil('GOAWAY', () => seen.length === 1);
  answer(0);
  await left;
  t.strictSame(seen.slice(0, 2), ['GOAWAY', 'first']);
});

t.test('a session with a long stream, or without one, leaves after a pause', async (t) => {
  const { open, streams, seen, ask, answer } = await serve(t);
  ask('short');
  ask('long');
  await waitUntil('the streams', () => streams.length === 2);
  answer(0);
  const left = leave(open, { ...TIMES, pause: 100 });
  await waitUntil('GOAWAY', () => seen.includes('GOAWAY'));
  t.equal(open.inFlight, 1);
  answer(1);
  await left;
  t.strictSame(seen.slice(0, 3), ['short', 'GOAWAY', 'long']);
  const idle = await serve(t);
  idle.ask('first');
  await waitUntil('the stream', () => idle.streams.length === 1);
  idle.answer(0);
  await leave(idle.open, { ...TIMES, pause: 100 });
  t.strictSame(idle.seen.slice(0, 2), ['first', 'GOAWAY']);
});

t.test('without a good moment, GOAWAY comes when the patience is over', async (t) => {
  const { open, client, seen, streams } = await serve(t);
  let hasLeft = false;
  const goOn = async (): Promise<void> => {
    while (!hasLeft) {
      // One more in each turn of the event loop, whatever is answered. Some may arrive after GOAWAY.
      if (!client.closed) {
        client
          .request()
          .on('error', () => undefined)
          .resume();
      }
      streams.splice(0).forEach((stream) => stream.destroyed || stream.respond({ ':status': 200 }, { endStream: true }));
      await nextTurn();
    }
  };
  void goOn();
  await waitUntil('streams', () => open.hasSpoken);
  const begin = performance.now();
  await leave(open, { idleTimeout: 1_000, pause: LONG_MS, patience: 300 });
  const took = performance.now() - begin;
  hasLeft = true;
  t.ok(took >= 290 && took < 10_000, `after ${took.toFixed()} ms`);
  t.ok(seen.includes('GOAWAY'));
});

t.test('the session is not closed before the client has GOAWAY', async (t) => {
  const { open, client, ask, answer, streams } = await serve(t);
  ask('first');
  await waitUntil('the stream', () => streams.length === 1);
  const closed = once(client, 'goaway').then(() => open.session.closed);
  const left = leave(open, { ...TIMES, patience: 100 });
  t.equal(await closed, false, 'Node.js 20 damages its memory otherwise');
  answer(0);
  await left;
  t.equal(open.session.closed, true);
});

t.test('a session that is silent ends after the idle timeout', async (t) => {
  const { open, seen } = await serve(t);
  await leave(open, { ...TIMES, idleTimeout: 50 });
  t.equal(open.ended || open.session.destroyed, true);
  await waitUntil('the end', () => seen.includes('close'));
});

t.test('a session whose client leaves by itself is left alone', async (t) => {
  const { open, client } = await serve(t);
  const left = leave(open, TIMES);
  client.destroy();
  await left;
  t.equal(open.ended, true);
});

t.test('a request that was held has all of the drain for its answer', async (t) => {
  const { open, streams, seen, ask, answer } = await serve(t);
  ask('first');
  await waitUntil('the stream', () => streams.length === 1);
  answer(0);
  await waitUntil('the answer', () => seen.includes('first'));
  const idleTimeout = 50;
  const left = leave(open, { ...TIMES, idleTimeout });
  ask('held');
  await waitUntil('GOAWAY', () => seen.includes('GOAWAY'));
  await waitUntil('the held request', () => streams.length === 2);
  let isOver = false;
  void left.then(() => {
    isOver = true;
  });
  // Twice as long as a session without a stream may stay: see CLOSES_WITHIN_MS.
  await sleep(2_000);
  t.notOk(isOver);
  answer(1);
  await left;
  t.strictSame(seen.slice(0, 3), ['first', 'GOAWAY', 'held']);
});
