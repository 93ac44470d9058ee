import t from 'tap';
import { listenAndServe } from '../../gracehttp/listen-and-serve.js';
import { fails } from '../support/errors.js';

t.test('an option of the process has to be in `app`, and the error says so', async (t) => {
  const call = (options: object) => () => listenAndServe('127.0.0.1:0', () => undefined, options);
  const facts = { code: 'OPTION_INVALID', subject: 'drainTimeout', value: 5 } as const;
  const error = await fails(t, call({ drainTimeout: 5 }), facts, 'drainTimeout');
  t.match(error.message, 'write listenAndServe(address, handler, { app: { drainTimeout: … } })');
  const misspelt = await fails(t, call({ readTimout: 5 }), { ...facts, subject: 'readTimout' }, 'readTimout');
  t.match(misspelt.message, 'did you mean readTimeout?');
  const inApp = await fails(t, call({ app: { drainTimout: 5 } }), { ...facts, subject: 'drainTimout' }, 'app.drainTimout');
  t.match(inApp.message, 'did you mean drainTimeout?');
});
