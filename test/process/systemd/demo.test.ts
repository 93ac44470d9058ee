import { readFileSync } from 'node:fs';
import t from 'tap';
import { fileURLToPath } from 'node:url';
import { INSIDE, Systemd, skipUnlessSystemd } from '../../support/systemd/systemd.js';
import { waitUntil } from '../../support/wait.js';

const UNITS = fileURLToPath(new URL('../../../../demo/systemd/', import.meta.url));
const SERVICE = 'grace-demo.service';
const ANSWER = /slept for 0 ms, pid (\d+)\./;

t.test('the units of the demo work, with only their paths changed', { skip: skipUnlessSystemd() }, async (t) => {
  const systemd = await Systemd.start(t);
  const page = (port: number): Promise<string> =>
    systemd.run(INSIDE.node, '-e', `fetch('http://127.0.0.1:${port}/sleep/').then((a) => a.text()).then(console.log)`);
  for (const unit of ['grace-demo.socket', SERVICE]) {
    const text = readFileSync(UNITS + unit, 'utf8');
    const moved = text.replaceAll('/srv/grace-demo/current', INSIDE.repository).replace('/usr/bin/node', INSIDE.node);
    systemd.write(`/run/systemd/system/${unit}`, moved);
    systemd.write(`/run/systemd/system/${unit}.d/test.conf`, '[Unit]\nDefaultDependencies=no\n');
  }
  await systemd.systemctl('daemon-reload');
  const faults = await systemd.run('sh', '-c', `systemd-analyze verify ${SERVICE} 2>&1`);
  // It looks at all units of the machine.
  t.strictSame(
    faults.split('\n').filter((line) => line.includes('grace-demo')),
    [],
    'systemd finds no fault',
  );
  await systemd.systemctl('start', 'grace-demo.socket');
  for (const [index, name] of ['Zero', 'One', 'Two'].entries()) {
    const answer = await page(48_567 + index);
    t.match(answer, new RegExp(`^${name}: .*${ANSWER.source}`));
    t.equal(ANSWER.exec(answer)?.[1], await systemd.show(SERVICE, 'MainPID'));
  }
  const pid = await systemd.show(SERVICE, 'MainPID');
  await systemd.systemctl('reload', SERVICE);
  await waitUntil('a new main process', async () => (await systemd.show(SERVICE, 'MainPID')) !== pid);
  t.equal(ANSWER.exec(await page(48_567))?.[1], await systemd.show(SERVICE, 'MainPID'));
  await systemd.systemctl('stop', SERVICE);
  t.equal(await systemd.show(SERVICE, 'Result'), 'success');
});
