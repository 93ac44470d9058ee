import t from 'tap';
import { parseEnviron, successorEnvironment } from '../../../lib/inherit/start-environment.js';

t.test('the format of /proc/self/environ', async (t) => {
  t.strictSame(parseEnviron('A=1\0B=\0C==\0=X\0D\0A=2\0E=two\nlines\0'), { A: '1', B: '', C: '=', E: 'two\nlines' });
  t.strictSame(parseEnviron(''), {});
});

t.test('a successor gets the environment of the start, and what is added', async (t) => {
  process.env['ADDED_LATER'] = '1';
  t.teardown(() => delete process.env['ADDED_LATER']);
  const env = successorEnvironment({ A: '1', B: '2', PATH: undefined }, undefined, { A: '3', B: undefined });
  t.equal(env['ADDED_LATER'], undefined);
  t.match(env, { A: '3' });
  t.notOk('B' in env);
  t.notOk('PATH' in env);
  t.equal(successorEnvironment()['PATH'], process.env['PATH']);
});

t.test('variables that are meant for one process are left out', async (t) => {
  const names = [
    'GRACE_HANDOFF',
    'LISTEN_FDS',
    'LISTEN_PID',
    'LISTEN_FDNAMES',
    'SERVER_STARTER_PORT',
    'NOTIFY_SOCKET',
    'WATCHDOG_USEC',
    'NODE_CHANNEL_FD',
  ];
  const env = successorEnvironment(Object.fromEntries(names.map((name) => [name, '1'])));
  for (const name of names) t.notOk(name in env, name);
});
