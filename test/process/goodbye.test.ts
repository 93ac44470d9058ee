import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import t, { type Test } from 'tap';
import { portOf } from '../support/address.js';
import { type Program, fixture, start } from '../support/program.js';

/** Longer than a test waits: a drain that takes all of it fails the test. */
const LONG = { drainTimeout: 120_000, idleTimeout: 100, follow: false };
const UPGRADE = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n';

async function run(t: Test, options: object): Promise<{ program: Program; port: number }> {
  const program = start(t, fixture('goodbye'), { args: [JSON.stringify(options)] });
  return { program, port: portOf(await program.announced('ready')) };
}

/** An upgraded connection that says what it hears. With `leaves` it ends when it hears the goodbye. */
async function upgrade(t: Test, port: number, leaves = true): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
  t.teardown(() => socket.destroy());
  socket.write(UPGRADE);
  await once(socket, 'data');
  socket.on('data', (data: Buffer) => {
    if (leaves && data.includes('goodbye')) socket.end();
  });
  return socket;
}

/** An endless response, as soon as it has begun. Resolves `ended` with all that it said. */
async function stream(t: Test, port: number, path: string): Promise<{ ended: Promise<string> }> {
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const request = http.get({ port, host: '127.0.0.1', path, agent });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  const ended = new Promise<string>((done) => {
    response.setEncoding('utf8').on('data', (data: string) => {
      text += data;
    });
    response.on('close', () => done(text)).on('error', () => undefined);
  });
  return { ended };
}

const CUT_SHORT = 'data: begin\n\n';
const WHOLE = 'data: begin\n\ndata: end\n\n';

for (const [reason, signal] of [
  ['stop', 'SIGTERM'],
  ['handover', 'SIGUSR2'],
] as const) {
  t.test(`${reason}: WebSockets that onDrain tells to leave leave in time, and the process exits with code 0`, async (t) => {
    const { program, port } = await run(t, LONG);
    await Promise.all([upgrade(t, port), upgrade(t, port), upgrade(t, port)]);
    process.kill(program.pid, signal);
    t.match(await program.announced('told'), { pid: program.pid, reason, same: true, listening: false }, 'when no new connection can come');
    t.match(await program.announced('closed'), { pid: program.pid, code: 0, cutOff: [] });
    t.match(await program.exited, { code: 0 });
    t.equal(program.all('told').length, 1, 'once');
  });

  t.test(`${reason}: event streams that end at app.signal end in time, and the process exits with code 0`, async (t) => {
    const { program, port } = await run(t, LONG);
    const streams = await Promise.all([stream(t, port, '/signal'), stream(t, port, '/signal')]);
    process.kill(program.pid, signal);
    t.strictSame(await Promise.all(streams.map(({ ended }) => ended)), [WHOLE, WHOLE]);
    t.match(await program.announced('closed'), { pid: program.pid, code: 0, cutOff: [] });
    t.match(await program.exited, { code: 0 });
  });
}

t.test('app.closing is aborted before the deadline, in time to end what is left', async (t) => {
  const { program, port } = await run(t, { drainTimeout: 3_000, idleTimeout: 50 });
  const { ended } = await stream(t, port, '/closing');
  process.kill(program.pid, 'SIGTERM');
  t.equal(await ended, WHOLE);
  t.match(await program.announced('closed'), { code: 0, cutOff: [] });
  t.match(await program.exited, { code: 0 });
});

t.test('only what was told to leave and stayed is cut off', async (t) => {
  const { program, port } = await run(t, { drainTimeout: 2_000, idleTimeout: 50 });
  await Promise.all([upgrade(t, port), upgrade(t, port), upgrade(t, port, false)]);
  const stays = await stream(t, port, '/stays');
  const leaves = await stream(t, port, '/signal');
  process.kill(program.pid, 'SIGTERM');
  t.equal(await leaves.ended, WHOLE);
  t.match(await program.announced('closed'), { code: 1, cutOff: [{ count: 2 }] });
  t.match(await program.exited, { code: 1 });
  t.equal(await stays.ended, CUT_SHORT);
});
