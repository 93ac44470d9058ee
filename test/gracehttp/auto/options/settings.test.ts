import t from 'tap';
import { readSettings, variableOf } from '../../../../gracehttp/auto/options/settings.js';
import { recordReports } from '../../../support/reports.js';
import { fails } from '../../../support/errors.js';

const FILE = '/srv/app/package.json';
const fileWith = (grace: unknown): { path: string; grace: unknown } => ({ path: FILE, grace });

t.test('variables, by the names of the options', async (t) => {
  t.equal(variableOf('drainTimeout'), 'GRACE_DRAIN_TIMEOUT');
  t.equal(variableOf('follow'), 'GRACE_FOLLOW');
  const env = {
    GRACE_DRAIN_TIMEOUT: '10000',
    GRACE_FOLLOW: 'false',
    GRACE_PID_FILE: '1234',
    GRACE_SIGNALS: '{ "stop": ["SIGTERM"] }',
    GRACE_LISTEN: ':80, 127.0.0.1:81',
    GRACE_READY: 'manual',
    GRACE_HANDOFF: 'not an option',
    GRACE_AUTO: '1',
    OTHER: 'x',
  };
  t.match(readSettings(env, fileWith({})), {
    options: { drainTimeout: 10_000, follow: false, pidFile: '1234', signals: { stop: ['SIGTERM'] } },
    listen: [':80', '127.0.0.1:81'],
    ready: 'manual',
  });
});

t.test('nothing is set', async (t) => {
  const { options, listen, ready, sources } = readSettings({}, fileWith({}));
  t.strictSame([options, listen, ready, sources.size], [{}, undefined, 'auto', 0]);
});

t.test('a variable counts more than package.json, and it is known where each option comes from', async (t) => {
  const settings = readSettings({ GRACE_DRAIN_TIMEOUT: '1' }, fileWith({ drainTimeout: 2, idleTimeout: 3 }));
  t.strictSame(settings.options, { drainTimeout: 1, idleTimeout: 3 });
  t.strictSame(
    [...settings.sources],
    [
      ['drainTimeout', 'GRACE_DRAIN_TIMEOUT'],
      ['idleTimeout', `grace.idleTimeout in ${FILE}`],
    ],
  );
});

t.test('mistakes name the variable or the key, and the value', async (t) => {
  const inFile = (name: string): string => `grace.${name} in ${FILE}`;
  const table: readonly (readonly [what: string, env: NodeJS.ProcessEnv, grace: unknown, subject: string, value: unknown])[] = [
    ['a word for a number', { GRACE_DRAIN_TIMEOUT: 'soon' }, {}, 'GRACE_DRAIN_TIMEOUT', 'soon'],
    ['a negative number', { GRACE_DRAIN_TIMEOUT: '-1' }, {}, 'GRACE_DRAIN_TIMEOUT', -1],
    ['no JSON', { GRACE_SIGNALS: '{ stop' }, {}, 'GRACE_SIGNALS', '{ stop'],
    ['a mistyped variable', { GRACE_DRAINTIMEOUT: '1' }, {}, 'GRACE_DRAINTIMEOUT', '1'],
    ['ready', { GRACE_READY: 'soon' }, {}, 'GRACE_READY', 'soon'],
    ['a mistake in the file', {}, { drainTimeout: 'soon' }, inFile('drainTimeout'), 'soon'],
    ['listen in the file', {}, { listen: 80 }, inFile('listen'), 80],
    ['an option that does not exist', {}, { drainTimout: 1 }, 'grace.drainTimout', 1],
    ['no object', {}, [], 'grace', []],
  ];
  for (const [what, env, grace, subject, value] of table) {
    await fails(t, () => readSettings(env, fileWith(grace)), { code: 'OPTION_INVALID', subject, value }, what);
  }
});

t.test("another program's variable that begins like ours is a warning", async (t) => {
  const reports = recordReports(t);
  readSettings({ GRACE_XYZ_QQQ_WWW: '1' }, fileWith({}));
  t.match(reports, [/GRACE_XYZ_QQQ_WWW/]);
});
