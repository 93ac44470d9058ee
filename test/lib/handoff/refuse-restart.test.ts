import t from 'tap';
import { type RestartSituation, refuseUnsupported } from '../../../lib/handoff/refuse-restart.js';
import { fails } from '../../support/errors.js';

const GOOD: RestartSituation = { platform: 'linux', pid: 10, descriptors: [3, 4], superdaemon: undefined, follow: false };

t.test('what can restart', async (t) => {
  for (const change of [{}, { descriptors: [] }, { platform: 'darwin' }, { pid: 1, follow: true }] as const) {
    t.doesNotThrow(() => refuseUnsupported({ ...GOOD, ...change }), JSON.stringify(change));
  }
});

t.test('what cannot restart, and why', async (t) => {
  const table: readonly (readonly [change: Partial<RestartSituation>, subject: string, value: unknown, message: RegExp])[] = [
    [{ platform: 'win32' }, 'process.platform', 'win32', /^win32 cannot pass a listening socket/],
    [{ descriptors: [3, -1] }, 'process.platform', 'linux', /cannot pass a listening socket/],
    [{ superdaemon: 42 }, 'superdaemon', 42, /^start_server restarts this process: send SIGHUP to process 42$/],
    [{ pid: 1 }, 'process.pid', 1, /PID 1, so a restart would end its container: set the option follow/],
  ];
  for (const [change, subject, value, message] of table) {
    const facts = { code: 'RESTART_UNSUPPORTED', subject, value } as const;
    const error = await fails(t, () => refuseUnsupported({ ...GOOD, ...change }), facts, JSON.stringify(change));
    t.match(error.message, message);
  }
});
