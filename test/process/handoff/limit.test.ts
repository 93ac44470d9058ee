import t, { type Test } from 'tap';
import { portsOf } from '../../support/address.js';
import { type Answer, answerTo, get, open } from '../../support/http/client.js';
import { type Program, fixture, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

const PLACES = 2;

interface Traffic {
  readonly queued: number;
  readonly free: number;
}

interface Full {
  readonly program: Program;
  readonly port: number;
  readonly traffic: () => Promise<Traffic>;
  /** Ends the uploads that hold the places; resolves to their answers. */
  readonly endUploads: () => Promise<Answer[]>;
}

/** Starts a server all of whose places are held by uploads. */
async function startFull(t: Test): Promise<Full> {
  const argument = { follow: false, limit: { maxConnections: PLACES }, tells: true, drainTimeout: 60_000 };
  const program = start(t, fixture('limited'), { args: [JSON.stringify(argument)] });
  const [port, control] = portsOf(await program.announced('ready')) as [number, number];
  const uploads = Array.from({ length: PLACES }, () => open({ port }, { method: 'POST', path: '/?upload', agent: false }));
  const answers = Promise.all(uploads.map(answerTo));
  // They fail with a predecessor that is killed.
  answers.catch(() => undefined);
  for (const upload of uploads) upload.flushHeaders();
  await program.announced('begin', PLACES);
  return {
    program,
    port,
    traffic: async () => JSON.parse((await get({ port: control })).body) as Traffic,
    endUploads: () => {
      for (const upload of uploads) upload.end();
      return answers;
    },
  };
}

t.test('a successor gives nobody a place before its predecessor says how many it holds', async (t) => {
  const { program, port, traffic, endUploads } = await startFull(t);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('successor');
  // So it cannot say so when the successor begins to accept.
  process.kill(program.pid, 'SIGSTOP');
  const newcomer = get({ port }, '/?ms=0');
  await waitUntil('the newcomer', async () => (await traffic()).queued === 1 || program.all('begin').length > PLACES);
  t.equal(program.all('begin').length, PLACES, 'it waits');
  process.kill(program.pid, 'SIGCONT');
  await program.announced('draining');
  t.equal(program.all('begin').length, PLACES, 'it still waits');
  const answers = await endUploads();
  t.strictSame(
    [...answers, await newcomer].map(({ body }) => body),
    ['served', 'served', 'served'],
  );
  const begin = program.announcements.findIndex(({ event, pid }) => event === 'begin' && pid !== program.pid);
  const end = program.announcements.findIndex(({ event }) => event === 'end');
  t.ok(end !== -1 && end < begin, 'it began after one of the others had ended');
  await program.announced('closed');
});

t.test('places of a predecessor that dies while it drains are free', async (t) => {
  const { program, port, traffic } = await startFull(t);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('draining');
  await program.announced('ready', 2);
  const newcomer = get({ port }, '/?ms=0');
  await waitUntil('the newcomer to wait', async () => (await traffic()).queued === 1);
  t.equal((await traffic()).free, 0);
  process.kill(program.pid, 'SIGKILL');
  t.equal((await newcomer).body, 'served');
  await waitUntil('all places to be free', async () => (await traffic()).free === PLACES);
});
