import t from 'tap';
import { describeStatus, showStatus, waitStatus } from '../../../starter/process/wait-status.js';

t.test('exit codes and signals as wait(2) encodes them', async (t) => {
  t.equal(waitStatus(0, null), 0);
  t.equal(waitStatus(3, null), 768);
  t.equal(waitStatus(255, null), 65_280);
  t.equal(waitStatus(null, 'SIGKILL'), 9);
  t.equal(waitStatus(null, 'SIGTERM'), 15);
});

t.test('in words', async (t) => {
  t.equal(describeStatus(waitStatus(0, null)), 'exited with code 0');
  t.equal(describeStatus(waitStatus(3, null)), 'exited with code 3');
  t.equal(describeStatus(waitStatus(null, 'SIGKILL')), 'was killed by SIGKILL');
  t.equal(describeStatus(undefined), 'ended');
  t.same([showStatus(768), showStatus(undefined)], ['768', 'unknown']);
});
