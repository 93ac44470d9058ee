import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { WebSocket } from 'ws';
import { fixture, start } from '../../support/program.js';
import { freePort } from '../../support/sockets.js';

const CLIENTS = 45;
const SERVICE_RESTART = 1012;

for (const signal of ['SIGUSR2', 'SIGTERM'] as const) {
  t.test(`${signal}: WebSockets and event streams are told to come back`, async (t) => {
    const port = await freePort();
    const program = start(t, fixture('auto/endless'), {
      args: [String(port)],
      nodeArgs: ['--import', 'ts-grace/auto'],
      env: { GRACE_FOLLOW: 'false' },
    });
    await program.announced('ready');
    const sockets = await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}`);
        await once(socket, 'open');
        return socket;
      }),
    );
    const agent = new http.Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    const [stream] = (await once(http.get({ port, host: '127.0.0.1', agent }), 'response')) as [http.IncomingMessage];
    const whole = text(stream);
    const closes = sockets.map((socket) => once(socket, 'close'));
    const begin = performance.now();
    process.kill(program.pid, signal);
    const codes = (await Promise.all(closes)).map(([code]) => code as number);
    t.ok(
      codes.every((code) => code === SERVICE_RESTART),
      `${CLIENTS} close codes 1012`,
    );
    t.match(await whole, /^data: begin\n\n/, 'the stream has a proper end');
    t.match(await program.exited, { code: 0 }, 'nothing was cut off');
    t.ok(performance.now() - begin < 20_000, 'long before the deadline');
    t.equal(program.all('left').length, CLIENTS, 'the program hears that they have left');
    if (signal === 'SIGTERM') return;
    const [again] = (await once(http.get({ port, host: '127.0.0.1', agent }), 'response')) as [http.IncomingMessage];
    t.equal(Number(again.headers['x-pid']), program.serving, 'the same agent comes back to the new process');
    again.destroy();
  });
}
