import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Environment, readEnvdir, timingReader } from '../../starter/environment.js';

t.test('an envdir: the first line of each file, by its name', async (t) => {
  const folder = t.testdir({ PLAIN: 'value\nsecond line\n', BARE: 'no newline', BLANK: '\n', EMPTY: '', '.hidden': 'x' });
  mkdirSync(join(folder, 'FOLDER'));
  t.same(readEnvdir(folder), { PLAIN: 'value', BARE: 'no newline', BLANK: '' });
  t.same(readEnvdir(join(folder, 'missing')), {});
  t.same(readEnvdir(undefined), {});
});

t.test('variables for start_server itself are not passed to its workers', async (t) => {
  const environment = new Environment({ LISTEN_FDS: '1', NOTIFY_SOCKET: '/run/n', GRACE_HANDOFF: '{}', KEPT: 'x' }, {});
  t.same(environment.load(), { KEPT: 'x' });
});

t.test('timing: options override the environment, the envdir overrides both', async (t) => {
  const folder = t.testdir({});
  const environment = new Environment({ KILL_OLD_DELAY: '1', ENABLE_AUTO_RESTART: '1' }, { KILL_OLD_DELAY: '2', ENVDIR: folder });
  t.same(environment.timing(), { autoRestart: true, autoRestartInterval: 360, killOldDelay: 2 });
  writeFileSync(join(folder, 'KILL_OLD_DELAY'), '3');
  writeFileSync(join(folder, 'ENABLE_AUTO_RESTART'), '0');
  t.same(environment.timing(), { autoRestart: false, autoRestartInterval: 360, killOldDelay: 3 });
  t.same(new Environment({ ENABLE_AUTO_RESTART: 'yes' }, {}).timing().killOldDelay, 5);
  t.same(new Environment({}, {}).timing(), { autoRestart: false, autoRestartInterval: 360, killOldDelay: 0 });
});

t.test('a timing that becomes invalid is reported, and the last valid one stays', async (t) => {
  const folder = t.testdir({ KILL_OLD_DELAY: '3' });
  const messages: string[] = [];
  const read = timingReader(new Environment({}, { ENVDIR: folder }), (message) => messages.push(message));
  writeFileSync(join(folder, 'KILL_OLD_DELAY'), 'long');
  t.equal(read().killOldDelay, 3);
  t.same(messages, ['KILL_OLD_DELAY="long", expected a number of seconds']);
  writeFileSync(join(folder, 'KILL_OLD_DELAY'), '4');
  t.equal(read().killOldDelay, 4);
});
