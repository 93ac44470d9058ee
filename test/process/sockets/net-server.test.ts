import t from 'tap';
import { portOf } from '../../support/address.js';
import { Conversation, converse } from '../../support/http/conversation.js';
import { fixture, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

const RESTARTS = 4;
const CLIENTS = 20;
const LINES = 5;
/** Conversations that each process has at least. */
const ENOUGH = 50;

t.test(`${RESTARTS} restarts of a plain net.Server under load lose no line`, async (t) => {
  const program = start(t, fixture('echo'));
  const where = { port: portOf(await program.announced('ready')), host: '127.0.0.1' };
  const byPid = new Map<number, number>();
  const lost: string[] = [];
  let stop = false;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!stop) {
      await converse(where, LINES).then(
        (pid) => byPid.set(pid, (byPid.get(pid) ?? 0) + 1),
        (error: unknown) => lost.push(String(error)),
      );
    }
  });
  const served = (): Promise<void> =>
    waitUntil(
      'conversations',
      () => (byPid.get(program.serving) ?? 0) >= ENOUGH,
      () => lost.join('\n'),
    );
  await served();
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    const old = program.serving;
    const long = await Conversation.begin(where);
    t.equal(await long.say('before'), old);
    process.kill(old, 'SIGUSR2');
    await program.announced('ready', restart + 1);
    await served();
    t.equal(await long.say('after'), old, 'a conversation goes on in the process in which it began');
    t.equal(program.all('closed').length, restart - 1, 'the drain waits for it');
    await long.end();
    await program.announced('closed', restart);
  }
  stop = true;
  await Promise.all(clients);
  t.strictSame(lost, []);
  t.strictSame(
    program.all('ready').filter(({ pid }) => (byPid.get(pid) ?? 0) < ENOUGH),
    [],
    'each process has answered',
  );
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  t.strictSame(
    program.all('closed').map(({ code, cutOff }) => ({ code, cutOff })),
    Array.from({ length: RESTARTS + 1 }, () => ({ code: 0, cutOff: [] })),
  );
});

t.test('a conversation that lasts longer than the drain is cut off, and counted', async (t) => {
  const program = start(t, fixture('echo'), { args: ['{"drainTimeout":300}'] });
  const where = { port: portOf(await program.announced('ready')), host: '127.0.0.1' };
  const long = await Conversation.begin(where);
  await long.say('begin');
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  t.match(await program.announced('closed'), { pid: program.pid, code: 1, cutOff: [{ count: 1 }] });
  await t.rejects(long.say('more'));
  t.equal(await converse(where, 1), program.serving);
});

t.test('a server that comes after ready() accepts in a successor too', async (t) => {
  const program = start(t, fixture('echo'), { args: ['{"readyFirst":true}'] });
  const where = { port: portOf(await program.announced('ready')), host: '127.0.0.1' };
  await waitUntil('an answer', () =>
    converse(where, 1).then(
      (pid) => pid === program.pid,
      () => false,
    ),
  );
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('closed');
  t.equal(await converse(where, 1), program.serving);
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  t.strictSame(
    program.all('closed').map(({ code }) => code),
    [0, 0],
  );
});
