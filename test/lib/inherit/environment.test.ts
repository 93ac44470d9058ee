import t from 'tap';
import { takeVariables, takenVariable } from '../../../lib/inherit/environment.js';
import { processState } from '../../../lib/inherit/process-state.js';

const ALL = {
  GRACE_HANDOFF: '{}',
  LISTEN_FDS: '1',
  LISTEN_PID: '42',
  LISTEN_FDNAMES: '',
  SERVER_STARTER_PORT: '80=3',
};

t.beforeEach(() => {
  processState.variables = {};
});

t.test('takes the variables that pass sockets, and leaves the others', async (t) => {
  const env: NodeJS.ProcessEnv = { PATH: '/bin', ...ALL, LISTEN: 'x', SERVER_STARTER_GENERATION: '2' };
  takeVariables(env);
  t.strictSame(processState.variables, ALL);
  t.strictSame(env, { PATH: '/bin', LISTEN: 'x', SERVER_STARTER_GENERATION: '2' });
  takeVariables(env);
  t.strictSame(processState.variables, ALL, 'a second time nothing changes');
});

for (const [name, value] of Object.entries(ALL)) {
  t.test(`${name} alone`, async (t) => {
    const env: NodeJS.ProcessEnv = { [name]: value };
    takeVariables(env);
    t.strictSame(processState.variables, { [name]: value });
    t.equal(takenVariable(name as keyof typeof ALL), value);
    t.strictSame(env, {});
  });
}
