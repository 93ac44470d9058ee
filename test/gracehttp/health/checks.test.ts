import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { administered, json } from '../../support/http/administered.js';
import { get } from '../../support/http/client.js';

t.test('a check that throws, rejects or takes too long makes the process not ready', async (t) => {
  let runs = 0;
  let aborted = false;
  const good = async (): Promise<void> => {
    runs += 1;
    await sleep(20);
  };
  const checks = {
    good,
    throws: () => {
      throw new Error('no disk');
    },
    rejects: () => Promise.reject(new Error('no database')),
    hangs: (signal: AbortSignal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
      }),
  };
  const { app, admin } = await administered(t, { checks, checkTimeout: 100 });
  const answer = await get(admin, '/readyz');
  t.equal(answer.status, 503);
  t.match(json(answer), {
    ready: false,
    checks: {
      good: { ok: true },
      throws: { ok: false, error: 'no disk' },
      rejects: { ok: false, error: 'no database' },
      hangs: { ok: false, error: 'timed out after 100 ms' },
    },
  });
  t.ok(aborted, 'the check that hangs is aborted');
  runs = 0;
  await Promise.all(Array.from({ length: 10 }, () => get(admin, '/readyz')));
  t.ok(runs < 10, `${runs} runs for ten requests`);
  await app.stop();

  const healthy = await administered(t, { checks: { good } });
  t.equal((await get(healthy.admin, '/readyz')).status, 200);
});
