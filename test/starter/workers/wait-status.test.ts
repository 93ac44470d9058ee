import t from 'tap';
import { waitStatus } from '../../../starter/workers/wait-status.js';

t.test('exit codes and signals as wait(2) encodes them', async (t) => {
  t.equal(waitStatus(0, null), 0);
  t.equal(waitStatus(3, null), 768);
  t.equal(waitStatus(255, null), 65_280);
  t.equal(waitStatus(null, 'SIGKILL'), 9);
  t.equal(waitStatus(null, 'SIGTERM'), 15);
});
