import t from 'tap';
import { type NotifyVariables, takeNotifyVariables, watchdogTimeout } from '../../../lib/systemd/notify-variables.js';
import fc from 'fast-check';
import { holds, unlessRefused } from '../../support/properties/holds.js';
import { object, textsLike } from '../../support/properties/values.js';

const SELF = 4711;
const NO_WATCHDOG: NotifyVariables = { socket: '/run/notify', watchdogUsec: undefined, watchdogPid: undefined };

t.test('the variables leave the environment', async (t) => {
  const cases = [
    [{}, undefined],
    [{ NOTIFY_SOCKET: '' }, undefined],
    [{ WATCHDOG_USEC: '5' }, undefined],
    [{ NOTIFY_SOCKET: '/run/notify' }, { socket: '/run/notify', watchdogUsec: undefined, watchdogPid: undefined }],
    [
      { NOTIFY_SOCKET: '@abstract', WATCHDOG_USEC: '5', WATCHDOG_PID: '7' },
      { socket: '@abstract', watchdogUsec: '5', watchdogPid: '7' },
    ],
  ] as const;
  for (const [variables, expected] of cases) {
    const env: NodeJS.ProcessEnv = { HOME: '/', ...variables };
    t.same(takeNotifyVariables(env), expected, JSON.stringify(variables));
    t.same(env, { HOME: '/' });
  }
});

t.test('watchdogTimeout', async (t) => {
  const cases = [
    [{}, undefined],
    [{ watchdogUsec: '2000000' }, 2_000],
    [{ watchdogUsec: '2000000', watchdogPid: String(SELF) }, 2_000],
    [{ watchdogUsec: '2000000', watchdogPid: '1' }, undefined],
    [{ watchdogUsec: '500' }, 0.5],
    [{ watchdogUsec: '' }, undefined],
    [{ watchdogUsec: '500', watchdogPid: '' }, 0.5],
  ] as const;
  for (const [variables, expected] of cases) {
    const given = { ...NO_WATCHDOG, ...variables };
    t.equal(watchdogTimeout(given, SELF), expected, JSON.stringify(variables));
  }
});

t.test('an invalid watchdog variable', async (t) => {
  const cases = [
    ['WATCHDOG_USEC', { watchdogUsec: '0' }],
    ['WATCHDOG_USEC', { watchdogUsec: '1.5' }],
    ['WATCHDOG_USEC', { watchdogUsec: '-1' }],
    ['WATCHDOG_PID', { watchdogUsec: '1', watchdogPid: 'me' }],
  ] as const;
  for (const [subject, variables] of cases) {
    const given = { ...NO_WATCHDOG, ...variables };
    t.throws(() => watchdogTimeout(given, SELF), { code: 'INHERITANCE_INVALID', subject }, JSON.stringify(variables));
  }
});

t.test('every value of a watchdog variable is a time, or refused', async (t) => {
  const value = fc.option(textsLike(fc.constantFrom('0', '1', '2000000', String(SELF))), { nil: undefined });
  holds(t, 'values', object({ watchdogUsec: value, watchdogPid: value }), (variables) => {
    const timeout = unlessRefused(() => watchdogTimeout({ socket: '@x', ...variables }, SELF), 'INHERITANCE_INVALID');
    if (timeout !== undefined && !(timeout > 0)) throw new Error(`a timeout of ${timeout}`);
  });
});
