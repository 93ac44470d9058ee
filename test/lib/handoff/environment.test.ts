import t from 'tap';
import { takeNotifyVariables, takeVariables } from '../../../lib/handoff/environment.js';

const ALL = {
  GRACE_HANDOFF: '{}',
  LISTEN_FDS: '1',
  LISTEN_PID: '42',
  LISTEN_FDNAMES: '',
  SERVER_STARTER_PORT: '80=3',
};

t.test('takes what passes sockets, and leaves the rest', async (t) => {
  const env: NodeJS.ProcessEnv = { PATH: '/bin', ...ALL, LISTEN: 'x', SERVER_STARTER_GENERATION: '2' };
  t.strictSame(takeVariables(env), ALL);
  t.strictSame(env, { PATH: '/bin', LISTEN: 'x', SERVER_STARTER_GENERATION: '2' });
  t.strictSame(takeVariables(env), {}, 'a second time there is nothing');
});

for (const [name, value] of Object.entries(ALL)) {
  t.test(`${name} alone`, async (t) => {
    const env: NodeJS.ProcessEnv = { [name]: value };
    t.strictSame(takeVariables(env), { [name]: value });
    t.strictSame(env, {});
  });
}

t.test('the variables of sd_notify(3) are taken out', async (t) => {
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
