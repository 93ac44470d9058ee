import t from 'tap';
import { readSettings, variableOf } from '../../../../gracehttp/auto/options/settings.js';
import { optionNames } from '../../../../lib/options.js';
import fc from 'fast-check';
import { fails } from '../../../support/errors.js';
import { holds, unlessRefused } from '../../../support/properties/holds.js';
import { anything, textsLike } from '../../../support/properties/values.js';
import { recordReports } from '../../../support/reports.js';

const NAMES = [...optionNames(), 'listen', 'ready'];
const FILE = '/srv/app/package.json';
const fileWith = (grace: unknown): { path: string; grace: unknown } => ({ path: FILE, grace });
const NO_FILE = { path: '/package.json', grace: {} };

t.test('GRACE_ variables', async (t) => {
  const env = { GRACE_DRAIN_TIMEOUT: '10000', GRACE_FOLLOW: 'false', GRACE_LISTEN: ':80, :81', GRACE_PID_FILE: '5', OTHER: '1' };
  t.match(readSettings(env, NO_FILE), {
    options: { drainTimeout: 10_000, follow: false, pidFile: '5' },
    listen: [':80', ':81'],
    ready: 'auto',
  });
  t.throws(() => readSettings({ GRACE_DRAIN_TIMOUT: '5' }, NO_FILE), {
    code: 'OPTION_INVALID',
    subject: 'GRACE_DRAIN_TIMOUT',
    message: 'there is no option for the variable GRACE_DRAIN_TIMOUT: did you mean GRACE_DRAIN_TIMEOUT?',
  });
  t.throws(() => readSettings({ GRACE_DRAIN_TIMEOUT: '5s' }, NO_FILE), {
    code: 'OPTION_INVALID',
    subject: 'GRACE_DRAIN_TIMEOUT',
    message: 'GRACE_DRAIN_TIMEOUT is "5s", expected a whole number of milliseconds from 0 to 2147483647',
  });
});

t.test('every value of every variable, and of the key grace of package.json, is accepted or refused', async (t) => {
  const texts = textsLike(fc.constantFrom('5000', 'true', 'auto', ':8080,:8081', '["a"]', '{"time":5}', '{"stop":["SIGTERM"]}'));
  for (const name of NAMES) {
    holds(
      t,
      variableOf(name),
      texts,
      (text) => void unlessRefused(() => readSettings({ [variableOf(name)]: text }, NO_FILE), 'OPTION_INVALID'),
    );
    holds(t, `grace.${name}`, anything, (value) => {
      unlessRefused(() => readSettings({}, { path: '/package.json', grace: { [name]: value } }), 'OPTION_INVALID');
    });
  }
  holds(t, 'grace', anything, (grace) => void unlessRefused(() => readSettings({}, { path: '/package.json', grace }), 'OPTION_INVALID'));
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
