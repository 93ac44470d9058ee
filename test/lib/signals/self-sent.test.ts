import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import t, { type Test } from 'tap';
import { SelfSent } from '../../../lib/signals/self-sent.js';
import { waitUntil } from '../../support/wait.js';

/** Records for each SIGWINCH whether this program sent it. */
function record(t: Test): { seen: boolean[]; selfSent: SelfSent } {
  const seen: boolean[] = [];
  const selfSent = new SelfSent(['SIGWINCH']);
  const onSignal = (): void => {
    seen.push(selfSent.is('SIGWINCH'));
  };
  process.on('SIGWINCH', onSignal);
  t.teardown(() => {
    process.off('SIGWINCH', onSignal);
    selfSent.remove();
  });
  return { seen, selfSent };
}

/** kill(1) comes with procps, and a shell has it built in. */
const fromOutside = (): unknown => spawnSync('sh', ['-c', `kill -WINCH ${process.pid}`]);

t.test('a signal from this program, and one from outside', async (t) => {
  const { seen } = record(t);
  const ways = {
    'by name': () => process.kill(process.pid, 'SIGWINCH'),
    'by number': () => process.kill(process.pid, constants.signals.SIGWINCH),
    'from outside': fromOutside,
    'to another process': () => {
      t.throws(() => process.kill(2 ** 22 + 1, 'SIGWINCH'), { code: 'ESRCH' });
      fromOutside();
    },
    'another signal to this one': () => {
      process.kill(process.pid, 0);
      fromOutside();
    },
  };
  for (const send of Object.values(ways)) {
    const before = seen.length;
    send();
    await waitUntil('the signal', () => seen.length > before);
  }
  t.strictSame(
    Object.keys(ways).map((way, index) => [way, seen[index]]),
    [
      ['by name', true],
      ['by number', true],
      ['from outside', false],
      ['to another process', false],
      ['another signal to this one', false],
    ],
  );
});

t.test('process.kill is as it was when the counting ends', async (t) => {
  const { kill } = process;
  const selfSent = new SelfSent(['SIGWINCH']);
  t.not(process.kill, kill);
  selfSent.remove();
  t.equal(process.kill, kill);
  t.equal(process.listenerCount('SIGWINCH'), 0);
  new SelfSent([]).remove();
  t.equal(process.kill, kill, 'no signal to look for');
});

t.test('a wrapper of another library stays, and ours counts no more', async (t) => {
  const { kill } = process;
  t.teardown(() => {
    process.kill = kill;
  });
  const { selfSent, seen } = record(t);
  const ours = process.kill;
  const theirs: typeof kill = (...args) => ours(...args);
  process.kill = theirs;
  selfSent.remove();
  t.equal(process.kill, theirs);
  process.kill(process.pid, 'SIGWINCH');
  await waitUntil('the signal', () => seen.length === 1);
  t.strictSame(seen, [false]);
});

t.test('without a process.kill that can be replaced nothing counts as sent by the program', async (t) => {
  const descriptor = Object.getOwnPropertyDescriptor(process, 'kill')!;
  Object.defineProperty(process, 'kill', { ...descriptor, writable: false });
  t.teardown(() => Object.defineProperty(process, 'kill', descriptor));
  const { seen } = record(t);
  process.kill(process.pid, 'SIGWINCH');
  await waitUntil('the signal', () => seen.length === 1);
  t.strictSame(seen, [false]);
});

t.test('a signal to the own group is from this program too, and to another group is not', async (t) => {
  // In a process that leads a group, as signals to the group of the test would hit its runner.
  const program = `
    import { spawn, spawnSync } from 'node:child_process';
    import { SelfSent } from ${JSON.stringify(new URL('../../../lib/signals/self-sent.js', import.meta.url).href)};
    const selfSent = new SelfSent(['SIGWINCH']);
    const seen = [];
    process.on('SIGWINCH', () => seen.push(selfSent.is('SIGWINCH')));
    setTimeout(() => process.exit(1), 10_000);
    const came = async (count) => { while (seen.length < count) await new Promise(setImmediate); };
    process.kill(0, 'SIGWINCH'); await came(1);
    process.kill(-process.pid, 'SIGWINCH'); await came(2);
    try { process.kill(-(2 ** 22 + 1), 'SIGWINCH'); } catch {}
    spawnSync('sh', ['-c', 'kill -WINCH ' + process.pid]); await came(3);
    // Without a second argument it is SIGTERM.
    const stop = new SelfSent(['SIGTERM']);
    process.on('SIGTERM', () => { console.log(JSON.stringify([...seen, stop.is('SIGTERM')])); process.exit(); });
    process.kill(process.pid);
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
  t.equal(stdout.trim(), '[true,true,false,true]');
});

/** Runs a command in a process group of its own. */
function run(command: string, args: readonly string[]): Promise<{ readonly stdout: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  return new Promise((done) => child.on('close', () => done({ stdout })));
}
