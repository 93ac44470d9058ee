import { once } from 'node:events';
import http2 from 'node:http2';
import t, { type Test } from 'tap';
import { OpenSession } from '../../../gracehttp/http2/open-session.js';
import { portOf } from '../../support/address.js';
import { waitUntil } from '../../support/wait.js';

interface Pair {
  readonly open: OpenSession;
  readonly client: http2.ClientHttp2Session;
  readonly streams: http2.ServerHttp2Stream[];
}

/** A session with both of its ends. The test answers its streams. */
async function pair(t: Test): Promise<Pair> {
  const streams: http2.ServerHttp2Stream[] = [];
  const server = http2.createServer();
  const sessions: OpenSession[] = [];
  server.on('session', (session) => sessions.push(new OpenSession(session)));
  server.on('stream', (stream) => streams.push(stream.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = http2.connect(`http://127.0.0.1:${portOf(server)}`);
  client.on('error', () => undefined);
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  await waitUntil('the session', () => sessions.length === 1);
  return { open: sessions[0]!, client, streams };
}

function ask(client: http2.ClientHttp2Session): http2.ClientHttp2Stream {
  return client
    .request()
    .on('error', () => undefined)
    .resume();
}

t.test('streams are counted until their response is sent', async (t) => {
  const { open, client, streams } = await pair(t);
  t.match(open, { inFlight: 0, hasSpoken: false, ended: false });
  ask(client);
  ask(client);
  await waitUntil('two streams', () => streams.length === 2);
  t.match(open, { inFlight: 2, hasSpoken: true, changes: 2 });
  streams[0]!.respond({ ':status': 200 }, { endStream: true });
  await open.until(() => open.inFlight === 1);
  t.equal(open.changes, 3);
});

t.test('streams are held until they are released, and count all the same', async (t) => {
  const { open, client, streams } = await pair(t);
  open.hold();
  ask(client);
  ask(client);
  const [cancelled, failed] = [ask(client), ask(client)];
  await open.until(() => open.inFlight === 4);
  t.strictSame(streams, [], 'the program does not have them');
  cancelled.close(http2.constants.NGHTTP2_CANCEL);
  failed.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  await waitUntil('their end', () => cancelled.destroyed && failed.destroyed);
  await open.roundTrip(10_000);
  open.release();
  await waitUntil('the streams', () => streams.length === 2);
  await open.until(() => open.inFlight === 2);
  t.equal(streams.length, 2, 'without those that their client has reset');
  ask(client);
  await waitUntil('one more', () => streams.length === 3);
  streams.forEach((stream) => stream.respond({ ':status': 200 }, { endStream: true }));
  await open.until(() => open.inFlight === 0);
});

t.test('a function that the program has put over session.emit stays', async (t) => {
  const { open, client, streams } = await pair(t);
  open.hold();
  open.release();
  const events: unknown[] = [];
  const { emit } = open.session;
  open.session.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    events.push(event);
    return (emit as (event: string | symbol, ...args: unknown[]) => boolean).call(open.session, event, ...args);
  };
  open.hold();
  ask(client);
  await open.until(() => open.inFlight === 1);
  open.release();
  await waitUntil('the stream', () => streams.length === 1);
  t.strictSame(
    events.filter((event) => event === 'stream'),
    ['stream', 'stream'],
  );
});

t.test('until() ends with its condition, after its time, or with the session', async (t) => {
  const { open, client } = await pair(t);
  await open.until(() => true);
  await open.until(() => false, 10);
  const never = open.until(() => false);
  client.destroy();
  await never;
  t.equal(open.ended, true);
  await open.until(() => false);
});

t.test('a round trip ends with its answer, after its time, or with the session', async (t) => {
  const { open, client } = await pair(t);
  await open.roundTrip(60_000);
  const [first, second] = [open.roundTrip(60_000), open.roundTrip(60_000)];
  client.destroy();
  await Promise.all([first, second]);
  await open.until(() => false);
  await open.roundTrip(10);
  t.pass();
});

t.test('destroy() closes the connection of a peer that does not close it', async (t) => {
  const { open, client } = await pair(t);
  open.session.close();
  const closed = once(client, 'close');
  open.destroy();
  await closed;
  await open.until(() => false);
  t.equal(open.ended, true);
});
