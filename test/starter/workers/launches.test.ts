import t from 'tap';
import { Launches, type LaunchesOptions } from '../../../starter/workers/launches.js';

t.test('a worker that waits for the end of an upgrade is not started when start_server stops', async (t) => {
  const started: unknown[] = [];
  const launches = new Launches({
    generation: 1,
    onStarted: (worker) => void started.push(worker),
  } as Partial<LaunchesOptions> as LaunchesOptions);
  await launches.hold();
  const launched = t.rejects(launches.launch(1, 2), { message: 'start_server stops' });
  launches.stop();
  await launched;
  t.strictSame(started, []);
});
