import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import { portsOf } from '../support/address.js';
import { type Target, get, send } from '../support/http/client.js';
import { type Program, fixture, start } from '../support/program.js';
import { waitUntil } from '../support/wait.js';

async function targets(program: Program): Promise<[Target, Target]> {
  const [port, admin] = portsOf(await program.announced('ready'));
  return [{ port: port! }, { port: admin! }];
}

function line(body: string, name: string): number {
  return Number(
    body
      .split('\n')
      .find((text) => text.startsWith(`${name} `))
      ?.slice(name.length),
  );
}

t.test('a process that handed over stays ready, and its successor continues the metrics', async (t) => {
  const program = start(t, fixture('administered'), {
    args: [JSON.stringify({ drainTimeout: 1_000, idleTimeout: 400, moveConnections: false })],
  });
  const [target, admin] = await targets(program);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  await get(admin, '/readyz', { agent });
  const cut = get(target, '/?ms=5000');
  await waitUntil('a request', async () => (await get(admin, '/metrics')).body.includes('in_flight{server="public"} 1'));

  const restarted = await send(admin, { method: 'POST', path: '/restart' });
  t.equal(restarted.status, 200);
  const { pid } = JSON.parse(restarted.body) as { pid: number };
  await program.announced('ready', 2);
  t.equal(pid, program.serving);

  const old = await get(admin, '/readyz', { agent });
  t.match(JSON.parse(old.body), { ready: true, state: 'draining' }, 'on a connection from before the restart');
  t.equal(old.status, 200);
  t.equal(old.headers.connection, 'close');

  await t.rejects(cut, 'the request takes longer than the drain');
  await program.announced('closed');
  await waitUntil('the report of the drain', async () => line((await get(admin, '/metrics')).body, 'grace_drains_total') === 1);
  const { body } = await get(admin, '/metrics');
  t.equal(line(body, 'grace_restarts_total{result="succeeded"}'), 1);
  t.equal(line(body, 'grace_restarts_total{result="failed"}'), 0);
  t.equal(line(body, 'grace_cut_off_total'), 1);
  t.ok(line(body, 'grace_drain_seconds_total') >= 1, 'the drain lasted a second');
  t.equal(line(body, 'grace_generation'), 2);

  process.kill(program.serving, 'SIGUSR2');
  await program.announced('ready', 3);
  await program.announced('closed', 2);
  await waitUntil(
    'the third process to know of both drains',
    async () => line((await get(admin, '/metrics')).body, 'grace_drains_total') === 2,
  );
  t.equal(line((await get(admin, '/metrics')).body, 'grace_cut_off_total'), 1, 'kept from generation to generation');
});

t.test('drainDelay: not ready, but accepting before the port closes', async (t) => {
  const DELAY = 500;
  const program = start(t, fixture('administered'), { args: [JSON.stringify({ drainDelay: DELAY, idleTimeout: 100 })] });
  const [target, admin] = await targets(program);
  process.kill(program.pid, 'SIGTERM');
  const begin = performance.now();
  await program.announced('draining');
  t.equal((await get(admin, '/readyz')).status, 503);
  const { headers, body } = await get(target, '/', { headers: { connection: 'keep-alive' } });
  t.equal(body, 'slept 0', 'still served');
  t.equal(headers.connection, 'keep-alive', 'keep-alive as before');
  await waitUntil('a closed port', () => refused(target));
  t.ok(performance.now() - begin >= DELAY, 'the port closes after drainDelay');
  t.match(await program.exited, { code: 0 });
});

t.test('drainDelay is for a final stop: after a hand-over the old process leaves at once', async (t) => {
  const DELAY = 20_000;
  const program = start(t, fixture('administered'), { args: [JSON.stringify({ drainDelay: DELAY, idleTimeout: 100 })] });
  await targets(program);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('draining');
  const begin = performance.now();
  await program.announced('closed');
  t.ok(performance.now() - begin < DELAY, 'load balancers need no notice');
});

function refused({ port }: Target): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect({ port: port!, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      done(false);
    });
    socket.on('error', () => done(true));
  });
}
