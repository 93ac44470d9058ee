import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { StopRequests } from '../../../lib/signals/stop-requests.js';
import { waitUntil } from '../../support/wait.js';

const SAME_REQUEST_MS = 1_000;

t.test('what comes within a second of the first signal is the same request', async (t) => {
  const requests = new StopRequests();
  const begin = performance.now();
  t.notOk(requests.isSecond('direct', false), 'the first');
  t.notOk(requests.isSecond('direct', false), 'at once');
  t.notOk(requests.isSecond('forwarded', false), 'the first one in another way');
  await waitUntil('a second request', () => requests.isSecond('direct', false));
  t.ok(performance.now() - begin >= SAME_REQUEST_MS - 1, 'after a second');
  await waitUntil('the same in the other way', () => requests.isSecond('forwarded', false));
  t.notOk(requests.isSecond('direct', true), 'one that the program sends itself is never the second');
});

t.test('a signal that the program sends itself is not the first one for another', async (t) => {
  const requests = new StopRequests();
  t.notOk(requests.isSecond('direct', true));
  await sleep(SAME_REQUEST_MS + 100);
  t.notOk(requests.isSecond('direct', false));
});

t.test('a signal that waited for a long computation is not later than it was sent', async (t) => {
  const requests = new StopRequests();
  const seen: boolean[] = [];
  const onSignal = (): void => {
    seen.push(requests.isSecond('direct', false));
  };
  process.on('SIGWINCH', onSignal);
  t.teardown(() => process.off('SIGWINCH', onSignal));
  process.kill(process.pid, 'SIGWINCH');
  await waitUntil('the first', () => seen.length === 1);
  process.kill(process.pid, 'SIGWINCH');
  const end = performance.now() + SAME_REQUEST_MS + 300;
  while (performance.now() < end);
  await waitUntil('the one that came meanwhile', () => seen.length === 2);
  t.strictSame(seen, [false, false]);
});
