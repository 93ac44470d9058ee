import t from 'tap';
import { takeVariables } from '../../lib/environment.js';

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
