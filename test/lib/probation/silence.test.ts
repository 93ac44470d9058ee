import t from 'tap';
import { Silence, giveSigns } from '../../../lib/probation/silence.js';
import { waitUntil } from '../../support/wait.js';

const LIMIT_MS = 200;

function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

t.test('silence is noticed after the limit, once', async (t) => {
  const begin = performance.now();
  let times = 0;
  const silence = new Silence(LIMIT_MS, () => (times += 1));
  t.teardown(() => silence.stop());
  await waitUntil('silence', () => times > 0);
  t.ok(performance.now() - begin >= LIMIT_MS * 0.9, `${performance.now() - begin} ms`);
  await new Promise((done) => setTimeout(done, LIMIT_MS));
  t.equal(times, 1);
});

t.test('with signs of life there is no silence, until they stop', async (t) => {
  let silent = false;
  let signs = 0;
  const silence = new Silence(LIMIT_MS, () => (silent = true));
  const stopSigns = giveSigns(LIMIT_MS, () => {
    signs += 1;
    silence.heard();
  });
  t.teardown(() => {
    silence.stop();
    stopSigns();
  });
  // Signs and looks are timers of the same event loop, so a machine that is busy delays both.
  await waitUntil('signs for two limits', () => signs >= 16 || silent);
  t.notOk(silent);
  stopSigns();
  await waitUntil('silence', () => silent);
});

t.test('if the process that listens was busy itself, that is not silence', async (t) => {
  let silent = false;
  const silence = new Silence(LIMIT_MS, () => (silent = true));
  t.teardown(() => silence.stop());
  block(LIMIT_MS * 3);
  // What came meanwhile is read now.
  await new Promise((done) => setImmediate(done));
  t.notOk(silent);
  silence.heard();
  await new Promise((done) => setTimeout(done, LIMIT_MS / 4));
  t.notOk(silent);
});

t.test('after stop() nothing is noticed', async (t) => {
  let silent = false;
  new Silence(LIMIT_MS, () => (silent = true)).stop();
  await new Promise((done) => setTimeout(done, LIMIT_MS * 2));
  t.notOk(silent);
});
