import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { get } from '../../support/http/client.js';
import { MAIN } from '../../support/starter.js';
import { INSIDE, Systemd, skipUnlessSystemd } from '../../support/systemd/systemd.js';
import { waitUntil } from '../../support/wait.js';

t.setTimeout(240_000);

const UPGRADES = 2;
const SERVICE = 'starter.service';
const ROOT = '/run/app';
const WORKERS = 2;
const SLOW_MS = 1_000;
const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));

interface Status {
  readonly pid: number;
  readonly workers: readonly { readonly pid: number; readonly state: string }[];
}

/** Starts the unit of docs/starter.md, with two workers on a unix socket. */
async function install(systemd: Systemd): Promise<void> {
  const main = `${INSIDE.repository}/${relative(REPOSITORY, MAIN)}`;
  const options = `--path=${ROOT}/web.sock --workers=${WORKERS} --interval=0.3 --status-file=${ROOT}/status --pid-file=${ROOT}/pid`;
  const server = `${INSIDE.node} ${INSIDE.repository}/dist/test/fixtures/server.js '${JSON.stringify({ http: [`unix:${ROOT}/web.sock`] })}'`;
  const lines = [
    ...['[Unit]', 'DefaultDependencies=no', '[Service]', 'Type=notify', 'NotifyAccess=all', 'KillMode=mixed', `WorkingDirectory=${ROOT}`],
    `ExecStart=${INSIDE.node} ${main} ${options} -- ${server}`,
    `StandardError=append:${ROOT}/stderr`,
    'ExecReload=/bin/kill -HUP $MAINPID',
  ];
  systemd.write(`/run/systemd/system/${SERVICE}`, lines.join('\n'));
  await systemd.systemctl('daemon-reload');
  await systemd.systemctl('start', SERVICE);
}

/** Upgrades once; returns the new main process. */
async function upgrade(t: Test, systemd: Systemd, before: number): Promise<number> {
  await systemd.systemctl('kill', '--kill-who=main', '--signal=USR2', SERVICE);
  await waitUntil(
    'another main process',
    async () => ![0, before].includes(await mainPid(systemd)),
    () => systemd.read(`${ROOT}/stderr`),
  );
  const after = await mainPid(systemd);
  await waitUntil('its files', () => statusOf(systemd).pid === after);
  await waitUntil('the end of the old one', () => systemd.read(`/proc/${before}/stat`) === '');
  t.equal(systemd.read(`${ROOT}/pid`), `${after}\n`);
  t.equal(await systemd.show(SERVICE, 'ActiveState'), 'active');
  return after;
}

async function mainPid(systemd: Systemd): Promise<number> {
  return Number(await systemd.show(SERVICE, 'MainPID'));
}

function statusOf(systemd: Systemd): Status {
  return JSON.parse(systemd.read(`${ROOT}/status.json`) || '{ "workers": [] }') as Status;
}

t.test(
  'an upgrade under systemd: the new start_server is the main process, the workers go on, and a stop drains',
  {
    skip: skipUnlessSystemd(),
  },
  async (t) => {
    const systemd = await Systemd.start(t);
    await install(systemd);
    const target = { socketPath: systemd.path(`${ROOT}/web.sock`) };
    await waitUntil('both workers', () => statusOf(systemd).workers.filter(({ state }) => state === 'serving').length === WORKERS);
    const { workers } = statusOf(systemd);
    const slow = get(target, `/?ms=${SLOW_MS}`);
    await get(target);
    let main = await mainPid(systemd);
    for (let count = 1; count <= UPGRADES; count += 1) {
      main = await upgrade(t, systemd, main);
      t.same(statusOf(systemd).workers, workers, 'the same workers');
    }
    t.equal((await slow).body, `slept ${SLOW_MS}`, 'a request in flight is answered');
    await systemd.systemctl('reload', SERVICE);
    await waitUntil('new workers', () => {
      const serving = statusOf(systemd).workers.filter(({ state }) => state === 'serving');
      return serving.length === WORKERS && serving.every(({ pid }) => workers.every((old) => old.pid !== pid));
    });
    t.equal(await mainPid(systemd), main, 'a reload replaces the workers, not start_server');
    t.equal(await systemd.show(SERVICE, 'NRestarts'), '0');
    const last = get(target, `/?ms=${SLOW_MS}`);
    await get(target);
    await systemd.systemctl('stop', SERVICE);
    t.equal((await last).body, `slept ${SLOW_MS}`, 'a stop drains');
    t.equal(await systemd.show(SERVICE, 'Result'), 'success');
    t.equal(systemd.read(`${ROOT}/pid`), '', 'no file is left');
  },
);
