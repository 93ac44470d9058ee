import t, { type Test } from 'tap';
import { type Program, fixture, start } from '../../support/program.js';
import { INSIDE, Systemd, skipUnlessSystemd } from '../../support/systemd/systemd.js';
import { type CheckedLoad, checkLoad } from '../../support/http/check-load.js';
import { answeredBy } from '../../support/systemd/load.js';
import { Unit } from '../../support/systemd/unit.js';

const RELOADS = 5;
/** More than the default of Node.js, so that a listen(2) that shrinks it shows. */
const BACKLOG = 1_000;
const SERVER = `await import('${INSIDE.repository}/dist/test/fixtures/server.js');\n`;
const WAITS_FOR_GATE = `
import { existsSync } from 'node:fs';
while (!existsSync('/run/app/gate')) await new Promise((done) => setTimeout(done, 10));
${SERVER}`;

const skip = skipUnlessSystemd();
t.test('a service under a real systemd: start by a connection, reload', { skip }, async (t) => {
  const systemd = await Systemd.start(t);
  const unit = await Unit.install(systemd, {
    program: WAITS_FOR_GATE,
    argument: { http: ['systemd:web', 'systemd:web'] },
    socket: [`Backlog=${BACKLOG}`],
  });

  const backlogs = await readBacklogs(systemd);
  t.same(backlogs, [BACKLOG, BACKLOG]);

  await t.test('the first connection starts the service, which is active when it is ready', async (t) => {
    t.equal(await unit.show('ActiveState'), 'inactive', 'inactive before the first connection');
    const answer = unit.get('/');
    await unit.waitFor('SubState', 'start');
    t.equal(await unit.show('ActiveState'), 'activating', 'not active while it starts');
    unit.touch('gate');
    t.equal((await answer).status, 200, 'the connection that started it is answered');
    await unit.waitFor('ActiveState', 'active');
    t.match(await unit.show('StatusText'), /^generation 1 serves 127\.0\.0\.1:8080, unix:/);
    t.match(systemd.read(`/proc/${await unit.mainPid()}/status`), /^Uid:\t65534\t/m, 'it runs as user nobody');
  });

  await t.test(`${RELOADS} reloads under load`, async (t) => {
    unit.release(SERVER);
    const load = startLoad(t, systemd);
    await answeredBy(load, await unit.mainPid());
    const states = new Set<string>();
    let watching = true;
    const watch = (async () => {
      while (watching) states.add(await unit.show('ActiveState'));
    })();
    const pids = [await unit.mainPid()];
    for (let reload = 1; reload <= RELOADS; reload += 1) {
      const slow = unit.get('/?ms=1200');
      await unit.systemctl('reload');
      const { successor } = await unit.announced('restarted', reload);
      await unit.waitFor('MainPID', String(successor));
      t.equal((await slow).pid, pids.at(-1), 'the old process answers its request in flight');
      pids.push(successor as number);
      await answeredBy(load, successor as number);
    }
    watching = false;
    await watch;
    process.kill(load.pid, 'SIGTERM');
    const stopped = await load.announced('stopped');
    checkLoad(
      t,
      stopped as unknown as CheckedLoad,
      pids.map((pid) => [pid]),
    );
    t.equal(new Set(pids).size, RELOADS + 1, 'a new main process each time');
    t.same(stopped['pids'], pids, 'each process answered, in order');
    t.same(
      [...states].filter((state) => !['active', 'reloading'].includes(state)),
      [],
      'never inactive',
    );
    await unit.announced('closed', RELOADS);
    t.equal(await unit.show('ActiveState'), 'active', 'active when the old processes have ended');
    t.equal(await unit.mainPid(), pids.at(-1));
    t.equal(await unit.show('NRestarts'), '0');
    const after = await readBacklogs(systemd);
    t.equal(after.length, 2);
    t.ok(
      after.every((backlog, index) => backlog >= backlogs[index]!),
      `the backlogs ${backlogs.join()} are ${after.join()}`,
    );
  });

  await t.test('a reload into a broken release', async (t) => {
    const pid = await unit.mainPid();
    unit.release(`throw new Error('the broken release');\n`);
    await unit.systemctl('reload');
    await unit.waitFor('StatusText', /failed/);
    await unit.waitFor('ActiveState', 'active');
    t.equal(await unit.mainPid(), pid, 'the old process goes on');
    t.equal((await unit.get('/')).pid, pid);
    t.match(await unit.systemctl('status'), /Status: "restart failed.*exited with code 1.*the broken release/);
  });

  await t.test('a successor that is killed, and one that cannot be started', async (t) => {
    const pid = await unit.mainPid();
    unit.release(`process.kill(process.pid, 'SIGKILL');\n`);
    await unit.systemctl('reload');
    const killed = await unit.announced('restart-failed', 2);
    t.match(killed['message'], /exited with an unknown code before it was ready/);
    unit.removeCurrent();
    // Not by ExecReload: for that systemd needs the working directory itself.
    await unit.systemctl('kill', '--kill-who=main', '-s', 'USR2');
    await unit.announced('restart-failed', 3);
    await unit.waitFor('ActiveState', 'active');
    t.equal(await unit.mainPid(), pid);
    t.equal((await unit.get('/')).pid, pid);
    unit.release(SERVER);
    await unit.systemctl('reload');
    const { successor } = await unit.announced('restarted', RELOADS + 1);
    await unit.waitFor('MainPID', String(successor));
    t.equal((await unit.get('/')).pid, successor, 'the next release that works takes over');
  });
});

function startLoad(t: Test, systemd: Systemd): Program {
  const argument = JSON.stringify({ targets: [{ port: Unit.port }], clientsOfAKind: 2 });
  return start(t, fixture('load'), { shell: `exec nsenter -t ${systemd.pid} -n "$NODE" "$PROGRAM" '${argument}'` });
}

/** The backlogs of the service's TCP and unix sockets: the third column in ss(8)'s list of listeners. */
async function readBacklogs(systemd: Systemd): Promise<number[]> {
  const lines = (await systemd.run('ss', '-Hltxn')).split('\n');
  return lines.filter((line) => /127\.0\.0\.1:8080|web\.sock/.test(line)).map((line) => Number(/\sLISTEN\s+\d+\s+(\d+)/.exec(line)?.[1]));
}
