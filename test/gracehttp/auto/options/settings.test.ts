import t from 'tap';
import { readSettings, variableOf } from '../../../../gracehttp/auto/options/settings.js';
import { optionNames } from '../../../../lib/options.js';
import fc from 'fast-check';
import { holds, unlessRefused } from '../../../support/properties/holds.js';
import { anything, textsLike } from '../../../support/properties/values.js';

const NAMES = [...optionNames(), 'listen', 'ready'];
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
