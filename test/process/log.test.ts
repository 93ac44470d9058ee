import t, { type Test } from 'tap';
import { portOf } from '../support/address.js';
import { get } from '../support/http/client.js';
import { type Program, fixture, start } from '../support/program.js';
import { writeRelease } from '../support/release.js';
import { scratch } from '../support/scratch.js';

const SERVER = `await import('${fixture('server')}');\n`;
/** Gives the messages to the test as announcements. */
const LOGS = `
  import http from 'node:http';
  import { App } from '${import.meta.resolve('ts-grace/gracehttp')}';
  import { announce, announceEvents, serveOrAnnounce } from '${new URL('../fixtures/announce.js', import.meta.url).href}';
  const app = new App({ follow: false, log: (message) => { announce('log', { message }); if (message.startsWith('draining')) throw new Error('a bug'); } });
  announceEvents(app);
  await serveOrAnnounce(app, { server: http.createServer(), listen: '127.0.0.1:0' });
`;

/** A restart that fails, one that works, and a drain that cuts off a request. Returns the two pids that served. */
async function live(
  t: Test,
  options: object,
): Promise<{ program: Program; first: number; failed: number; second: number; address: string }> {
  const folder = scratch(t);
  const argument = JSON.stringify({ http: ['127.0.0.1:0'], drainTimeout: 300, ...options });
  const program = start(t, writeRelease(folder, SERVER), { args: [argument], env: { NODE_NO_WARNINGS: '1' } });
  const { addresses } = await program.announced('ready');
  const [address] = addresses as [string];
  writeRelease(folder, 'process.exit(7);');
  process.kill(program.pid, 'SIGUSR2');
  const failed = Number(/process (\d+)/.exec(String((await program.announced('restart-failed'))['message']))![1]);
  writeRelease(folder, SERVER);
  process.kill(program.pid, 'SIGUSR2');
  const second = (await program.announced('ready', 2)).pid;
  await program.exited;
  const target = { port: portOf(address) };
  const lost = t.rejects(get(target, '/?ms=20000'));
  await get(target);
  process.kill(second, 'SIGTERM');
  await lost;
  await program.ended();
  return { program, first: program.pid, failed, second, address };
}

t.test('one line on stderr for each restart, failed restart, drain and cut-off', async (t) => {
  const { program, first, failed, second } = await live(t, {});
  t.strictSame(program.stderr.split('\n'), [
    `ts-grace[${first}]: restart failed, this process keeps serving: the successor (process ${failed}) exited with code 7 before it was ready`,
    `ts-grace[${first}]: restarted: process ${second} serves`,
    `ts-grace[${first}]: draining no request, up to 300 ms`,
    `ts-grace[${second}]: draining 1 request, up to 300 ms; SIGTERM again to exit at once`,
    `ts-grace[${second}]: http0: 1 request cut off after 300 ms of draining`,
    '',
  ]);
});

t.test('log: false turns them off', async (t) => {
  const { program } = await live(t, { log: false });
  t.equal(program.stderr, '');
});

t.test('log: a function gets them; if it throws, they are on stderr and nothing else changes', async (t) => {
  const program = start(t, writeRelease(scratch(t), LOGS));
  await program.announced('ready');
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  t.same(await program.exited, { code: 0, signal: null });
  process.kill(pid, 'SIGTERM');
  await program.ended();
  const drains = [
    [program.pid, 'draining no request, up to 30 s'],
    [pid, 'draining no request, up to 30 s; SIGTERM again to exit at once'],
  ] as const;
  t.same(
    program.all('log').map((line) => [line.pid, line['message']]),
    [[program.pid, `restarted: process ${pid} serves`], ...drains],
  );
  t.equal(
    program.stderr,
    drains.map(([from, line]) => `ts-grace[${from}]: ${line}\nts-grace[${from}]: warning: the option log failed: Error: a bug\n`).join(''),
  );
  t.same(
    program.all('closed').map(({ code }) => code),
    [0, 0],
  );
});

t.test('nobody reads stderr any longer: the service goes on', async (t) => {
  const program = start(t, writeRelease(scratch(t), SERVER), {
    shell: 'exec "$NODE" "$PROGRAM" \'{"http":["127.0.0.1:0"]}\' 2>&3',
    passed: ['pipe'],
  });
  await program.announced('ready');
  program.process.stdio[3]!.destroy();
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  t.same(await program.exited, { code: 0, signal: null });
  process.kill(pid, 'SIGTERM');
  await program.ended();
  t.same(
    program.all('closed').map(({ code }) => code),
    [0, 0],
  );
});
