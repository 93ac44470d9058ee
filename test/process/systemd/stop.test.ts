import t from 'tap';
import { fixture, start } from '../../support/program.js';
import { INSIDE, Systemd, skipUnlessSystemd } from '../../support/systemd/systemd.js';
import { answeredBy } from '../../support/systemd/load.js';
import { Unit } from '../../support/systemd/unit.js';
import { type CheckedLoad, checkLoad } from '../../support/http/check-load.js';
import { waitUntil } from '../../support/wait.js';

const SERVER = `
process.on('SIGHUP', () => { for (;;); });
await import('${INSIDE.repository}/dist/test/fixtures/server.js');
`;
const NEVER_READY = `setInterval(() => undefined, 1_000);\n`;

const skip = skipUnlessSystemd();
t.test('a service under a real systemd: stop, restart, watchdog', { skip }, async (t) => {
  const systemd = await Systemd.start(t);
  const unit = await Unit.install(systemd, {
    program: SERVER,
    argument: { http: ['systemd:web', 'systemd:web'] },
    // Less than the drains below take, so that they have to ask for more time.
    service: ['TimeoutStopSec=1', 'WatchdogSec=2'],
  });
  await unit.get('/');

  await t.test('a stop with requests in flight in the process and in its predecessor', async (t) => {
    const pid = await unit.mainPid();
    const before = unit.get('/?ms=4000');
    // Its answer shows that the slow request, which connected earlier, is accepted.
    await unit.get('/');
    await unit.systemctl('reload');
    const { successor } = await unit.announced('restarted');
    await unit.waitFor('MainPID', String(successor));
    const after = unit.get('/?ms=2000');
    await unit.get('/');
    await unit.systemctl('stop');
    t.match(await before, { status: 200, body: 'slept 4000', pid });
    t.match(await after, { status: 200, body: 'slept 2000', pid: successor });
    t.equal(await unit.show('ActiveState'), 'inactive');
    t.equal(await unit.show('Result'), 'success');
    t.equal(await unit.show('NRestarts'), '0');
  });

  await t.test('a restart under load', async (t) => {
    const argument = JSON.stringify({ targets: [{ port: Unit.port }], clientsOfAKind: 2 });
    const load = start(t, fixture('load'), { shell: `exec nsenter -t ${systemd.pid} -n "$NODE" "$PROGRAM" '${argument}'` });
    // The load's first connection has started it.
    await unit.waitFor('ActiveState', 'active');
    const pid = await unit.mainPid();
    await answeredBy(load, pid);
    await unit.systemctl('restart');
    const next = await unit.mainPid();
    t.not(next, pid);
    await answeredBy(load, next);
    process.kill(load.pid, 'SIGTERM');
    checkLoad(t, (await load.announced('stopped')) as unknown as CheckedLoad, [[pid], [next]]);
  });

  await t.test('a stop while a successor starts', async (t) => {
    unit.release(NEVER_READY);
    // Without --no-block systemctl would wait for the end of the reload, which does not come.
    await unit.systemctl('reload', '--no-block');
    await unit.waitFor('StatusText', /generation 2 is being started/);
    const answer = unit.get('/?ms=1500');
    await unit.get('/');
    await unit.systemctl('stop');
    t.equal((await answer).body, 'slept 1500');
    t.equal(await unit.show('ActiveState'), 'inactive');
    t.equal(await unit.show('Result'), 'success');
    unit.release(SERVER);
  });

  await t.test('the watchdog replaces a process that hangs, also after a reload', async (t) => {
    await unit.get('/');
    const reloads = unit.all('restarted').length;
    await unit.systemctl('reload');
    const { successor } = await unit.announced('restarted', reloads + 1);
    await unit.waitFor('MainPID', String(successor));
    const since = Number(await unit.show('WatchdogTimestampMonotonic'));
    await waitUntil(
      'watchdog messages for longer than WatchdogSec',
      async () => Number(await unit.show('WatchdogTimestampMonotonic')) > since + 2_500_000,
    );
    t.equal(await unit.mainPid(), successor, 'a process that does not hang runs longer than WatchdogSec');
    t.equal(await unit.show('NRestarts'), '0');
    await unit.systemctl('kill', '--kill-who=main', '-s', 'HUP');
    await unit.waitFor('NRestarts', '1');
    await unit.waitFor('ActiveState', 'active');
    t.not(await unit.mainPid(), successor);
    t.equal((await unit.get('/')).status, 200);
  });
});
