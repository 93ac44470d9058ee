import http from 'node:http';
import t, { type Test } from 'tap';
import { get, targetOf } from '../../support/http/client.js';
import { isAlive, resident } from '../../support/proc.js';
import { type Program, fixture, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

async function begin(t: Test, argument: object): Promise<Program> {
  const program = start(t, fixture('release/lifetime'), { args: [JSON.stringify(argument)] });
  await program.announced('ready');
  return program;
}

const targetOfProgram = (program: Program): ReturnType<typeof targetOf> => targetOf((program.all('ready')[0]!.addresses as string[])[0]!);

/** A response that does not end; resolves when it has begun. */
function hold(t: Test, program: Program): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = http.get({ ...targetOfProgram(program), host: '127.0.0.1', path: '/hold', agent: false }, resolve).on('error', reject);
    t.teardown(() => request.destroy());
  });
}

t.test('a program that leaks recycles itself: no request is lost, and its memory has a limit', async (t) => {
  const limit = 160 * 1024 * 1024;
  const program = await begin(t, { bytes: 1024 * 1024, recycle: { rss: limit, minInterval: 0, interval: 20 } });
  const target = targetOfProgram(program);
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  let largest = 0;
  const lost: unknown[] = [];
  await waitUntil(
    'two restarts',
    async () => {
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => get(target, '/', { agent }).catch((error: unknown) => void lost.push(error))),
      );
      const pid = Number(answers[0]?.body ?? 0);
      largest = Math.max(largest, resident(pid) * 1024);
      return program.all('restarted').length >= 2;
    },
    () => program.report(),
  );
  t.strictSame(lost, []);
  t.ok(largest < 3 * limit, `${largest} bytes`);
  await program.logged(/recycling this process: it has \d+ MiB resident, more than 160/);
});

t.test('more old generations than maxDraining hurry the oldest', async (t) => {
  const program = await begin(t, { maxDraining: 2, drainTimeout: 60_000 });
  const pids: number[] = [];
  for (let generation = 1; generation <= 5; generation += 1) {
    await hold(t, program);
    pids.push(program.serving);
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', generation + 1);
    await program.announced('restarted', generation);
  }
  const [first, second, , fourth, fifth] = pids as [number, number, number, number, number];
  await waitUntil(
    'the end of the oldest, which have less time than the one after them',
    () => [first, second].every((pid) => !isAlive(pid)),
    () => program.report(),
  );
  t.ok([fourth, fifth].every(isAlive), 'two old ones stay');
});
