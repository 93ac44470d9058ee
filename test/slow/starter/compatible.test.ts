import { existsSync } from 'node:fs';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { skipUnless } from '../../support/skip.js';
import { MAIN, PERL_MAIN, type Starter, ask, plain, skipWithoutFlock, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

/** Other tests may keep the processors busy. */
t.setTimeout(240_000);

/* Both programs must print the same on stderr and write the same files, when pids are replaced by numbers in order of appearance. */

const skip = skipWithoutFlock || skipUnless(() => existsSync(PERL_MAIN), 'the Debian package libserver-starter-perl is not installed');

type Scenario = (starter: Starter) => Promise<void>;

const COMMAND = ['--', ...plain()];
const SCENARIOS: Readonly<
  Record<string, { readonly args: readonly string[]; readonly env?: Record<string, string>; readonly play: Scenario }>
> = {
  'deploy, crash, stop': {
    args: ['--port=127.0.0.1:0', '--interval=1', ...COMMAND],
    play: async (starter) => {
      const port = portOf(await starter.program.announced('ready'));
      await statusIs(starter, /^1:\d+\n$/);
      starter.signal('SIGHUP');
      await starter.said(/^old worker/);
      await statusIs(starter, /^2:\d+\n$/);
      await starter.program.announced('ready', 2);
      const third = starter.said('starting new worker', 3);
      await ask(port, 'die\n');
      await third;
      await statusIs(starter, /^3:\d+\n$/);
      await starter.program.announced('ready', 3);
    },
  },
  'another signal to old workers, after a delay': {
    args: ['--port=127.0.0.1:0', '--signal-on-hup=quit', '--signal-on-term=SIGQUIT', '--kill-old-delay=1', ...COMMAND],
    play: async (starter) => {
      await starter.program.announced('ready');
      await statusIs(starter, /^1:\d+\n$/);
      starter.signal('SIGHUP');
      await starter.said(/^old worker/);
      await starter.program.announced('ready', 2);
    },
  },
  'old workers that are slow to exit': {
    args: ['--port=127.0.0.1:0', ...COMMAND],
    env: { TERM_AFTER: '4', LAST_EXIT: '3' },
    play: async (starter) => {
      await starter.program.announced('ready');
      await statusIs(starter, /^1:\d+\n$/);
      starter.signal('SIGHUP');
      await starter.said('killing old workers');
      await statusIs(starter, /^1:\d+\n2:\d+\n$/);
      starter.signal('SIGHUP');
      await starter.said('killing old workers', 2);
      await statusIs(starter, /^3:\d+\n$/);
      await starter.program.announced('ready', 3);
    },
  },
};

for (const [name, { args, env = {}, play }] of Object.entries(SCENARIOS)) {
  t.test(name, { skip }, async (t) => {
    const [ours, theirs] = await Promise.all(
      [MAIN, PERL_MAIN].map(async (main) => {
        const starter = startStarter(t, args, { main, env });
        await play(starter);
        const { code } = await starter.stop();
        t.notOk(existsSync(starter.pidFile) || existsSync(starter.statusFile), 'no file is left behind');
        return { code, messages: anonymous(starter.messages) };
      }),
    );
    t.same(ours, theirs);
  });
}

t.test('each program stops and restarts the other', { skip }, async (t) => {
  const theirs = startStarter(t, COMMAND, { main: PERL_MAIN });
  await theirs.program.announced('ready');
  await statusIs(theirs, /^1:\d+\n$/);
  t.match(await theirs.command('--status'), { code: 0, stdout: /1 +\d+ +- +serving/ });
  t.match(await theirs.command('--restart'), { code: 0 });
  t.match(await theirs.command('--stop'), { code: 0 });
  t.match(await theirs.program.exited, { code: 0 });

  const ours = startStarter(t, COMMAND);
  await ours.program.announced('ready');
  await statusIs(ours, /^1:\d+\n$/);
  const files = { folder: ours.folder, main: PERL_MAIN };
  const restart = startStarter(t, ['--restart'], files);
  t.match(await restart.program.exited, { code: 0 });
  t.match(ours.status(), /^2:\d+\n$/);
  const stop = startStarter(t, ['--stop'], files);
  t.match(await stop.program.exited, { code: 0 });
  t.equal(existsSync(ours.pidFile), false, 'it waited for the lock');
});

async function statusIs(starter: Starter, pattern: RegExp): Promise<void> {
  await waitUntil(
    `the status file ${pattern}`,
    () => existsSync(starter.statusFile) && pattern.test(starter.status()),
    () => {
      return `${existsSync(starter.statusFile) ? starter.status() : 'no status file'}\n${starter.program.report()}`;
    },
  );
}

function anonymous(messages: readonly string[]): string[] {
  const names = new Map<string, string>();
  const named = messages.map((line) =>
    line.replace(/(?<=worker |workers:|,|pid:)\d+/g, (pid) => {
      if (!names.has(pid)) names.set(pid, `process ${names.size + 1}`);
      return names.get(pid)!;
    }),
  );
  // Server::Starter sorts pids as text, in which 10000 comes before 9999.
  return named.map((line) => line.replace(/(?<=workers:)process.*/, (list) => list.split(',').sort().join(',')));
}
