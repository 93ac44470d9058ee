import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Environment, readEnvdir } from '../../starter/environment.js';

t.test('an envdir', async (t) => {
  const folder = t.testdir({ PLAIN: 'value\nsecond line\n', BARE: 'no newline', BLANK: '\n', EMPTY: '', '.hidden': 'x' });
  mkdirSync(join(folder, 'FOLDER'));
  t.same(readEnvdir(folder), { PLAIN: 'value', BARE: 'no newline', BLANK: '' });
  t.same(readEnvdir(join(folder, 'missing')), {});
  t.same(readEnvdir(undefined), {});
});

t.test('what is meant for start_server itself is not for its workers', async (t) => {
  const environment = new Environment({ LISTEN_FDS: '1', NOTIFY_SOCKET: '/run/n', GRACE_HANDOFF: '{}', KEPT: 'x' }, {});
  t.same(environment.load(), { KEPT: 'x' });
});

t.test('times: options before the environment, the envdir before both', async (t) => {
  const folder = t.testdir({});
  const environment = new Environment({ KILL_OLD_DELAY: '1', ENABLE_AUTO_RESTART: '1' }, { KILL_OLD_DELAY: '2', ENVDIR: folder });
  t.same(environment.timing(), { autoRestart: true, autoRestartInterval: 360, killOldDelay: 2 });
  writeFileSync(join(folder, 'KILL_OLD_DELAY'), '3');
  writeFileSync(join(folder, 'ENABLE_AUTO_RESTART'), '0');
  t.same(environment.timing(), { autoRestart: false, autoRestartInterval: 360, killOldDelay: 3 });
  t.same(new Environment({ ENABLE_AUTO_RESTART: 'yes' }, {}).timing().killOldDelay, 5);
  t.same(new Environment({}, {}).timing(), { autoRestart: false, autoRestartInterval: 360, killOldDelay: 0 });
});
