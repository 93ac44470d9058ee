import { performance } from 'node:perf_hooks';
import t from 'tap';
import { drain } from '../../../lib/life/drain.js';

/** A drain that nothing holds up. */
const PLAN = {
  handedOver: new Set<number>(),
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
