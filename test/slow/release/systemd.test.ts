import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { INSIDE, Systemd, skipUnlessSystemd } from '../../support/systemd/systemd.js';
import { Unit } from '../../support/systemd/unit.js';
import { waitUntil } from '../../support/wait.js';

const skip = skipUnlessSystemd();
const LISTEN = ['systemd:web', 'systemd:web'];
/** systemd refuses to start a service more than five times in ten seconds, if it is not told otherwise. */
const MANY_STARTS = ['[Unit]', 'StartLimitIntervalSec=0'];
const IDLE_MS = 500;
const REQUESTS = 12;

t.setTimeout(240_000);

const programOf = (fixture: string): string => `await import('${INSIDE.repository}/dist/test/fixtures/${fixture}.js');\n`;

t.test('exitWhenIdle: an idle service has no process, and each request is answered', { skip }, async (t) => {
  const systemd = await Systemd.start(t);
  const argument = { http: LISTEN, exitWhenIdle: IDLE_MS };
  const unit = await Unit.install(systemd, { program: programOf('server'), argument, service: MANY_STARTS });
  t.equal(await unit.show('ActiveState'), 'inactive');
  const pids = new Set<number>();
  for (let nth = 1; nth <= 2; nth += 1) {
    pids.add((await unit.get('/')).pid);
    await unit.waitFor('ActiveState', 'inactive');
    t.equal(await unit.mainPid(), 0, 'no process is left');
    t.equal(await unit.show('Result'), 'success');
    t.equal(await systemd.show(unit.socket, 'ActiveState'), 'active', 'systemd holds the sockets');
  }
  t.equal(pids.size, 2, 'a new process each time');

  // Some come just when the process ends.
  for (let nth = 1; nth <= REQUESTS; nth += 1) {
    t.equal((await unit.get('/')).status, 200);
    await sleep(IDLE_MS * (0.8 + 0.6 * Math.random()));
  }
  const slow = await unit.get(`/?ms=${IDLE_MS * 3}`);
  t.equal(slow.body, `slept ${IDLE_MS * 3}`, 'a request in flight is not idle');
  t.match(unit.report(), /no connection for 500 ms: this process ends, and systemd starts it for the next one/);
  t.equal(await unit.show('NRestarts'), '0');
});

/** Reloads into a release that is taken back, and waits until that is done. */
async function fails(t: Test, unit: Unit, nth: number, how: (pid: number) => Promise<unknown>): Promise<void> {
  const first = await unit.mainPid();
  await unit.systemctl('reload');
  const successor = Number((await unit.announced('restarted', nth))['successor']);
  t.equal(await unit.mainPid(), first, 'the old process stays the main process on probation');
  await unit.waitFor('StatusText', /^generation \d+ serves on probation, generation \d+ stands by/);
  await waitUntil('answers of the new process', async () => Number((await unit.get('/')).body) === successor);
  await how(successor).catch(() => undefined);
  const reverted = await unit.announced('restart-reverted', nth);
  t.match(reverted, { pid: first, successor });
  await unit.waitFor('StatusText', /^restart taken back, this process serves again: the successor/);
  t.equal(await unit.mainPid(), first);
  t.equal(await unit.show('ActiveState'), 'active');
  t.equal(Number((await unit.get('/')).body), first);
}

t.test('a restart that is taken back', { skip }, async (t) => {
  const systemd = await Systemd.start(t);
  const argument = { listen: LISTEN, probation: 2_500, signals: { revert: ['SIGWINCH'] } };
  const unit = await Unit.install(systemd, { program: programOf('release/faulty'), argument });
  await unit.systemctl('start');
  const first = await unit.mainPid();

  await t.test('the new process is killed', (t) => fails(t, unit, 1, (pid) => systemd.run('kill', '-KILL', String(pid))));
  await t.test('an exception in the first request', async (t) => {
    await fails(t, unit, 2, () => unit.get('/throw'));
    const status = await unit.systemctl('status');
    t.match(status, new RegExp(`Active: active \\(running\\)[^]*Main PID: ${first} \\(node`));
    t.match(status, /Status: "restart taken back, this process serves again: .*exited with code 1 on probation/);
  });
  await t.test('systemctl kill --kill-who=main -s WINCH', (t) =>
    fails(t, unit, 3, () => unit.systemctl('kill', '--kill-who=main', '-s', 'WINCH')),
  );

  await t.test('the next release that works takes over after its probation', async (t) => {
    await unit.systemctl('reload');
    const { successor } = await unit.announced('restarted', 4);
    await unit.waitFor('MainPID', String(successor));
    t.match(await unit.show('StatusText'), /^generation 2 serves, generation 1 handed over/);
    await unit.announced('shutdown');
    t.equal(Number((await unit.get('/')).body), successor);
    t.equal(await unit.show('NRestarts'), '0');
    await unit.systemctl('stop');
    t.equal(unit.all('shutdown').length, 2 + 1, 'each process that served has ended in order');
    t.equal(await unit.show('Result'), 'success');
  });
});
