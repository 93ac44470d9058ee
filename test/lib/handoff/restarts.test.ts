import t from 'tap';
import { type Launch, Restarts } from '../../../lib/handoff/restarts.js';
import { readOptions } from '../../../lib/options.js';

t.test('a second request leaves the running restart the time that it was given', async (t) => {
  const launches: Launch[] = [];
  let goOn = (): void => undefined;
  const held = new Promise<void>((done) => {
    goOn = done;
  });
  const restarts = new Restarts(
    { settings: readOptions({ beforeRestart: () => held }), state: 'serving', sockets: [], superdaemon: undefined },
    {
      begin: async () => undefined,
      start: (launch) => {
        launches.push(launch);
        throw new Error('enough');
      },
      handOver: () => t.fail('nothing was started'),
      failed: async () => undefined,
    },
    { stays: false },
  );
  const first = restarts.request({ timeout: 10_000 });
  const second = restarts.request({ timeout: 1_000 });
  goOn();
  await Promise.allSettled([first, second]);
  t.strictSame(launches[0]?.timeout, 10_000);
});
