import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from '../../support/sources.js';
import { INSIDE, Systemd, skipUnlessSystemd } from '../../support/systemd/systemd.js';
import { waitUntil } from '../../support/wait.js';

const FOLDER = join(ROOT, 'examples/systemd');
const ANSWER = /^hello from process (\d+)\n/;

t.test(
  'examples/systemd: the first connection starts it, a reload replaces it, a stop ends it',
  { skip: skipUnlessSystemd() },
  async (t) => {
    const systemd = await Systemd.start(t);
    for (const unit of ['web.socket', 'web.service']) {
      const text = readFileSync(join(FOLDER, unit), 'utf8');
      const moved = text.replaceAll('/srv/web/current', `${INSIDE.repository}/examples/systemd`).replace('/usr/bin/node', INSIDE.node);
      systemd.write(`/run/systemd/system/${unit}`, moved);
      systemd.write(`/run/systemd/system/${unit}.d/test.conf`, '[Unit]\nDefaultDependencies=no\n');
    }
    await systemd.systemctl('daemon-reload');
    const faults = await systemd.run('sh', '-c', 'systemd-analyze verify web.service 2>&1 || true');
    // It looks at all units of the machine.
    t.strictSame(
      faults.split('\n').filter((line) => /\bweb\.(service|socket)/.test(line)),
      [],
      'systemd finds no fault',
    );
    await systemd.systemctl('start', 'web.socket');
    t.equal(await systemd.show('web.service', 'ActiveState'), 'inactive', 'nothing runs before the first connection');
    const ask = (): Promise<string> =>
      systemd.run(INSIDE.node, '-e', "fetch('http://127.0.0.1:8080/').then((a) => a.text()).then((text) => process.stdout.write(text))");
    const first = ANSWER.exec(await ask())?.[1];
    t.equal(first, await systemd.show('web.service', 'MainPID'));
    await systemd.systemctl('reload', 'web.service');
    await waitUntil('a new main process', async () => (await systemd.show('web.service', 'MainPID')) !== first);
    t.equal(ANSWER.exec(await ask())?.[1], await systemd.show('web.service', 'MainPID'));
    await systemd.systemctl('stop', 'web.socket', 'web.service');
    t.equal(await systemd.show('web.service', 'Result'), 'success');
  },
);
