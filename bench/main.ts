import { drainStall, idleMemory } from './idle.js';
import { type Waiting, waiting } from './limit.js';
import { type Slowdown, slowdown } from './release.js';
import { restartTime } from './restart.js';
import { throughput } from './throughput.js';

const IDLE_CONNECTIONS = 10_000;
const WAITING_CONNECTIONS = 10_000;

interface Figure {
  readonly what: string;
  readonly measure: () => Promise<number>;
  readonly unit: string;
  readonly aim: string;
  readonly reached: (value: number) => boolean;
}

/** What is promised about speed. Ratios compare with bare Node.js, measured in turn, because machines are noisy. */
const FIGURES: readonly Figure[] = [
  {
    what: 'requests a second, relative to a bare http.Server',
    measure: () => throughput(),
    unit: '',
    aim: 'at least 0.97',
    reached: (value) => value >= 0.97,
  },
  {
    what: 'time from SIGUSR2 to the first new response, relative to the start of a bare server',
    measure: restartTime,
    unit: '',
    aim: 'at most 1.15',
    reached: (value) => value <= 1.15,
  },
  {
    what: 'memory of an idle connection, in addition to Node.js',
    measure: () => idleMemory(IDLE_CONNECTIONS),
    unit: ' bytes',
    aim: 'at most 1024',
    reached: (value) => value <= 1024,
  },
  {
    what: `longest block of the event loop while ${IDLE_CONNECTIONS} idle connections are drained`,
    measure: () => drainStall(IDLE_CONNECTIONS),
    unit: ' ms',
    aim: 'under 50',
    reached: (value) => value < 50,
  },
  {
    what: 'requests a second with a limit, relative to a bare http.Server',
    measure: () => throughput('limited'),
    unit: '',
    aim: 'at least 0.97',
    reached: (value) => value >= 0.97,
  },
  {
    what: `memory of each of ${WAITING_CONNECTIONS} waiting connections`,
    measure: async () => (await waited()).bytes,
    unit: ' bytes',
    aim: 'at most 2048',
    reached: (value) => value <= 2_048,
  },
  {
    what: `time to serve ${WAITING_CONNECTIONS} waiting connections, 100 at the same time`,
    measure: async () => (await waited()).milliseconds,
    unit: ' ms',
    aim: 'at most 5000',
    reached: (value) => value <= 5_000,
  },
  ...[true, false].flatMap((warmup): Figure[] => {
    const how = warmup ? 'with warmup' : 'without';
    return [
      {
        what: `p95 in the 300 ms after a restart, relative to before, ${how}`,
        measure: async () => (await slowedDown(warmup)).p95,
        unit: '',
        aim: warmup ? 'at most 1.5' : 'for comparison',
        reached: (value) => !warmup || value <= 1.5,
      },
      {
        what: `p99 in the 2 s after a restart, relative to before, ${how}`,
        measure: async () => (await slowedDown(warmup)).p99,
        unit: '',
        aim: warmup ? 'at most 1.5' : 'for comparison',
        reached: (value) => !warmup || value <= 1.5,
      },
    ];
  }),
];

const slowdowns = new Map<boolean, Promise<Slowdown>>();

/** Both figures come from one run. */
function slowedDown(warmup: boolean): Promise<Slowdown> {
  const known = slowdowns.get(warmup) ?? slowdown(warmup);
  slowdowns.set(warmup, known);
  return known;
}

let measured: Promise<Waiting> | undefined;

/** Both figures about waiting connections come from one run. */
function waited(): Promise<Waiting> {
  measured ??= waiting(WAITING_CONNECTIONS);
  return measured;
}

console.log(`Node.js ${process.version}`);
for (const { what, measure, unit, aim, reached } of FIGURES) {
  const value = await measure();
  const shown = unit === '' ? value.toFixed(3) : `${value.toFixed(0)}${unit}`;
  console.log(`${what}: ${shown} (${aim}${reached(value) ? '' : '; NOT REACHED'})`);
}
