import t from 'tap';
import { Silence, giveSigns } from '../../../lib/probation/silence.js';
import { waitUntil } from '../../support/wait.js';

const LIMIT_MS = 200;

function silenceAfter(onSilent: () => void, starved = () => 0): Silence {
  return new Silence({ limit: LIMIT_MS, starved, onSilent });
}

function isLate(silence: Silence): boolean {
  let late = true;
  silence.whenHeard(() => (late = false));
  return late;
}

function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

t.test('silence is noticed after the limit, once', async (t) => {
  const begin = performance.now();
  let times = 0;
  const silence = silenceAfter(() => (times += 1));
  t.teardown(() => silence.stop());
  await waitUntil('silence', () => times > 0);
  t.ok(performance.now() - begin >= LIMIT_MS * 0.9, `${performance.now() - begin} ms`);
  await new Promise((done) => setTimeout(done, LIMIT_MS));
  t.equal(times, 1);
});

t.test('with signs of life there is no silence, until they stop', async (t) => {
  let silent = false;
  let signs = 0;
  const silence = silenceAfter(() => (silent = true));
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
  const silence = silenceAfter(() => (silent = true));
  t.teardown(() => silence.stop());
  block(LIMIT_MS * 3);
  // What came meanwhile is read now.
  await new Promise((done) => setImmediate(done));
  t.notOk(silent);
  silence.heard();
  await new Promise((done) => setTimeout(done, LIMIT_MS / 4));
  t.notOk(silent);
});

t.test('time in which the other process has waited for a processor is not silence', async (t) => {
  const begin = performance.now();
  let silentAfter: number | undefined;
  let asked = 0;
  // As many milliseconds as the limit, after the first look; and much more before it.
  const starved = (): number => 10_000 + (asked++ === 0 ? 0 : LIMIT_MS);
  const silence = silenceAfter(() => (silentAfter = performance.now() - begin), starved);
  t.teardown(() => silence.stop());
  await waitUntil('silence', () => silentAfter !== undefined);
  t.ok(silentAfter! >= 2 * LIMIT_MS * 0.9, `${silentAfter} ms`);
});

t.test('a process that gets no processor at all is silent after four limits', async (t) => {
  let silent = false;
  let asked = 0;
  const silence = silenceAfter(
    () => (silent = true),
    () => LIMIT_MS * 100 * asked++,
  );
  t.teardown(() => silence.stop());
  const begin = performance.now();
  await waitUntil('silence', () => silent);
  t.ok(performance.now() - begin >= 4 * LIMIT_MS * 0.9, `${performance.now() - begin} ms`);
});

t.test('whenHeard() waits for a sign only if that is late', async (t) => {
  let heard = 0;
  const silence = silenceAfter(() => undefined);
  t.teardown(() => silence.stop());
  silence.whenHeard(() => (heard += 1));
  t.equal(heard, 1, 'at once');
  await waitUntil('a late sign', () => isLate(silence));
  silence.whenHeard(() => (heard += 1));
  t.equal(heard, 1, 'not yet');
  silence.heard();
  t.equal(heard, 2, 'with the sign');
  silence.heard();
  t.equal(heard, 2, 'once');
});

t.test('who waits for a sign that does not come, waits in silence', async (t) => {
  let [silent, heard] = [false, false];
  const silence = silenceAfter(() => (silent = true));
  t.teardown(() => silence.stop());
  await waitUntil('a late sign', () => isLate(silence));
  silence.whenHeard(() => (heard = true));
  await waitUntil('silence', () => silent);
  t.notOk(heard);
});

t.test('after stop() nothing is noticed', async (t) => {
  let silent = false;
  silenceAfter(() => (silent = true)).stop();
  await new Promise((done) => setTimeout(done, LIMIT_MS * 2));
  t.notOk(silent);
});
