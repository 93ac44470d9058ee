import t from 'tap';
import { shareOfTime } from '../../../gracehttp/http2/share-of-time.js';

const MANY = 20_000;
const STEPS = 10;

t.test('if every second client comes back and has to leave again, all departures together are spread evenly', async (t) => {
  const steps = Array.from({ length: STEPS }, () => 0);
  for (let client = 0; client < MANY; client += 1) {
    let moment = 0;
    do {
      moment += (1 - moment) * shareOfTime();
      steps[Math.min(STEPS - 1, Math.floor(moment * STEPS))]! += 1;
    } while (Math.random() < 0.5 && moment < 1 - 1 / MANY);
  }
  const mean = steps.reduce((sum, count) => sum + count, 0) / STEPS;
  for (const count of steps) t.ok(count > mean * 0.85 && count < mean * 1.15, steps.join(' '));
});
