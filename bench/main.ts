import { drainStall, idleMemory } from './idle.js';
import { type Waiting, waiting } from './limit.js';
import { type Slowdown, slowdown } from './release.js';
import { restartCost, restartTime } from './restart.js';
import { throughput } from './throughput.js';

const IDLE_CONNECTIONS = 10_000;
const WAITING_CONNECTIONS = 10_000;
const SLOWDOWN = 1.5;

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
    aim: 'at least 0.98',
    reached: (value) => value >= 0.98,
  },
  {
    what: 'time from SIGUSR2 to the first new response, relative to the start of a bare server',
    measure: restartTime,
    unit: '',
    aim: 'at most 1.05',
    reached: (value) => value <= 1.05,
  },
  {
    what: 'ts-grace/auto: time from SIGUSR2 to the first new response, in addition to that of serve()',
    measure: async () => (await restartCost('auto', 'response')) - (await restartCost('ours', 'response')),
    unit: ' ms',
    aim: 'at most 10',
    reached: (value) => value <= 10,
  },
  {
    what: 'ts-grace/auto: time from SIGUSR2 to the first new response, in addition to the start of a bare server',
    measure: () => restartCost('auto', 'response'),
    unit: ' ms',
    aim: 'at most 10',
    reached: (value) => value <= 10,
  },
  {
    what: 'ts-grace/auto: time from the start of a successor until it listens, in addition to that of a bare server',
    measure: () => restartCost('auto', 'listening'),
    unit: ' ms',
    aim: 'at most 10',
    reached: (value) => value <= 10,
  },
  {
    what: 'ts-grace/auto: requests a second, relative to a bare http.Server',
    measure: () => throughput('auto'),
    unit: '',
    aim: 'at least 0.98',
    reached: (value) => value >= 0.98,
  },
  {
    what: 'memory of an idle connection, in addition to Node.js',
    measure: () => idleMemory(IDLE_CONNECTIONS),
    unit: ' bytes',
    aim: 'under 300',
    reached: (value) => value < 300,
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
  ...(['p95', 'p99'] as const).flatMap((which) => [true, false].map((warmup) => afterRestart(which, warmup))),
];

/** How slow responses are after a restart: with a warm-up, and without one for comparison. */
function afterRestart(which: keyof Slowdown, warmup: boolean): Figure {
  const span = which === 'p95' ? '300 ms' : '2 s';
  return {
    what: `${which} in the ${span} from the first new response on, relative to before the restart, ${warmup ? 'with warmup' : 'without warmup'}`,
    measure: async () => (await slowedDown(warmup))[which],
    unit: '',
    aim: warmup ? `at most ${SLOWDOWN}` : 'for comparison',
    reached: (value) => !warmup || value <= SLOWDOWN,
  };
}

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

// `npm run bench -- restart` measures only the figures whose description has this text.
const [wanted = ''] = process.argv.slice(2);
console.log(`Node.js ${process.version}`);
for (const { what, measure, unit, aim, reached } of FIGURES.filter((figure) => figure.what.includes(wanted))) {
  const value = await measure();
  const shown = unit === '' ? value.toFixed(3) : `${value.toFixed(0)}${unit}`;
  console.log(`${what}: ${shown} (${aim}${reached(value) ? '' : '; NOT REACHED'})`);
  if (!reached(value)) process.exitCode = 1;
}
