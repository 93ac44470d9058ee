import t from 'tap';
import { portOf } from '../../support/address.js';
import { fixture } from '../../support/program.js';
import { ask, plain, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

const COMMAND = ['--', ...plain()];

t.test('--workers=3: workers are numbered, share the sockets, and are replaced one by one, so that never fewer than 3 serve', async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--workers=3', '--interval=0.3', ...COMMAND]);
  const { program } = starter;
  await program.announced('ready', 3);
  const numbers = program.all('ready').map(({ env }) => (env as Record<string, string>)['SERVER_STARTER_WORKER']);
  t.same(numbers.toSorted(), ['1', '2', '3']);
  await waitUntil('three', () => /^(1:\d+\n){3}$/.test(starter.status()));
  let fewest = Infinity;
  const count = setInterval(() => {
    fewest = Math.min(fewest, starter.status().trimEnd().split('\n').length);
  }, 5);
  starter.signal('SIGHUP');
  await waitUntil(
    'three new ones',
    () => /^(2:\d+\n){3}$/.test(starter.status()),
    () => starter.status() + program.report(),
  );
  clearInterval(count);
  t.equal(fewest, 3);
  await starter.said('killing old workers', 3);
  const began = starter.messages.filter((line) => /^starting new worker|^killing old workers/.test(line)).slice(3);
  t.same(
    began.map((line) => line.split(' ')[0]),
    ['starting', 'killing', 'starting', 'killing', 'starting', 'killing'],
  );
  await starter.stop();
});

t.test('a crashed worker is replaced at once; after further crashes a delay doubles', async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--workers=2', '--interval=0.5', ...COMMAND]);
  const { program } = starter;
  await program.announced('ready', 2);
  await waitUntil('two', () => /^(1:\d+\n){2}$/.test(starter.status()));
  let victim = program.all('ready')[0]!;
  const worker = (victim['env'] as Record<string, string>)['SERVER_STARTER_WORKER'];
  const delays: number[] = [];
  for (let crash = 1; crash <= 3; crash += 1) {
    process.kill(victim.pid, 'SIGKILL');
    const begin = performance.now();
    await starter.said(`worker ${victim.pid} died unexpectedly with status:9, restarting`);
    await starter.said('starting new worker', 2 + crash);
    delays.push(performance.now() - begin);
    victim = await program.announced('ready', 2 + crash);
    t.match(victim, { env: { SERVER_STARTER_WORKER: worker, SERVER_STARTER_GENERATION: String(1 + crash) } });
    await waitUntil('it is up', () => starter.status().includes(`:${victim.pid}\n`));
  }
  const [first, second, third] = delays as [number, number, number];
  t.ok(first < second && second >= 495 && third >= 995, delays.map(Math.round).join(', '));
  t.match(await ask(portOf(victim)), { length: 2 });
  await starter.stop();
});

t.test('a deploy does not wait for the delay after a crash', async (t) => {
  const server = [process.execPath, fixture('server'), JSON.stringify({ http: [':0'] })];
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--workers=2', '--interval=1.5', '--', ...server]);
  const { program } = starter;
  await program.announced('ready', 2);
  // Then a pause of 6 s begins.
  for (let crash = 1; crash <= 4; crash += 1) {
    const victim = await program.announced('ready', 1 + crash);
    await waitUntil(
      'it is up',
      () => starter.status().includes(`:${victim.pid}\n`),
      () => program.report(),
    );
    process.kill(victim.pid, 'SIGKILL');
    await starter.said('died unexpectedly', crash);
  }
  const begin = performance.now();
  starter.signal('SIGHUP');
  await starter.said('starting new worker', 6);
  t.ok(performance.now() - begin < 5_000);
  await starter.stop();
});
