import { performance } from 'node:perf_hooks';
import t from 'tap';
import { drain } from '../../../lib/life/drain.js';

/** A drain that nothing holds up. */
const PLAN = {
  isHandedOver: () => false,
  delay: 0,
  onShutdown: () => undefined,
  onward: () => undefined,
  takeBack: () => undefined,
  noneComes: Promise.resolve(),
  after: Promise.resolve(),
  proven: Promise.resolve(true),
  spread: 0,
  spreadEnds: [],
  onHurry: () => undefined,
};

t.test('closing comes a sixth of the time before the deadline', async (t) => {
  const begin = performance.now();
  const times: Record<string, number> = {};
  const note = (name: string) => () => {
    times[name] = performance.now() - begin;
  };
  const stays = {
    beginDrain: () => undefined,
    stopAccepting: async () => undefined,
    drained: () => new Promise(() => undefined),
    inFlight: () => ({ unit: 'connection', count: 1 }),
    cutOff: () => 1,
    address: ':0',
    name: 'stays',
  };
  const result = await drain({
    listeners: [stays as never],
    ...PLAN,
    timeout: 600,
    onBegin: note('begin'),
    onClosing: note('closing'),
  });
  t.match(result?.cutOff, [{ name: 'stays', count: 1 }]);
  t.ok(times['begin']! < times['closing']!);
  t.ok(times['closing']! >= 495, `${times['closing']} ms`);
  t.ok(performance.now() - begin >= 595, 'before the deadline');
});

t.test('closing does not come if the drain ends before', async (t) => {
  let closing = 0;
  await drain({
    listeners: [],
    ...PLAN,
    timeout: 50,
    onBegin: () => undefined,
    onClosing: () => {
      closing += 1;
    },
  });
  await new Promise((done) => setTimeout(done, 100));
  t.equal(closing, 0);
});

t.test('a drain that was taken back while connections still came from the predecessor goes no further', async (t) => {
  const steps: string[] = [];
  const step = (name: string) => async (): Promise<void> => void steps.push(name);
  let endArrivals = (): void => undefined;
  let takeBack = (): void => undefined;
  const listener = { beginDrain: step('begin'), stopAccepting: step('stop accepting'), drained: step('say goodbye'), fd: 3 };
  const drained = drain({
    ...PLAN,
    listeners: [listener as never],
    noneComes: new Promise((done) => {
      endArrivals = done;
    }),
    proven: new Promise((settle) => {
      takeBack = () => settle(false);
    }),
    timeout: 10_000,
    onBegin: () => takeBack(),
    onClosing: () => undefined,
  });
  t.equal(await drained, undefined, 'this process has to serve again');
  endArrivals();
  await new Promise((done) => setImmediate(done));
  t.strictSame(steps, ['begin', 'stop accepting']);
});
