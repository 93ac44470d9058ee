import t from 'tap';
import { Carried } from '../../../lib/inherit/carried.js';
import { Standby, type Watched } from '../../../lib/probation/standby.js';

/** A successor that has closed its pipe, which is all that the old process sees of it. */
function closedPipe(exitCode: number | undefined): Watched & { killed: number } {
  return {
    killed: 0,
    onEnd: () => undefined,
    pid: undefined,
    moved: 0,
    returned: async () => [],
    ending: async () => ({ pid: undefined, exitCode, signal: null, stderr: '', cause: undefined }),
    kill() {
      this.killed += 1;
    },
    leave: () => undefined,
  };
}

for (const [what, exitCode, killed] of [
  ['runs on without its pipe is killed: two processes would serve', undefined, 1],
  ['has exited is not', 1, 0],
] as const) {
  t.test(`a successor that ${what}`, async (t) => {
    const successor = closedPipe(exitCode);
    const terms = { time: 60_000, hang: 0 };
    const standby = new Standby({ successor, terms, listeners: [], carried: new Carried(), stopSignals: [] });
    await standby.prepared;
    successor.onEnd();
    t.equal(await standby.proven, false);
    t.match(await standby.report(), { code: 'RESTART_REVERTED' });
    t.equal(successor.killed, killed);
  });
}
