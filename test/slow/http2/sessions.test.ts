import t, { type Test } from 'tap';
import { portOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { Http2Load, type Http2LoadOptions } from '../../support/http2/load.js';
import { relayTo } from '../../support/http2/relay.js';
import { restartUnder, rowOf } from '../../support/http2/restarts.js';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';

t.setTimeout(300_000);

const RESTARTS = 5;
/** One way, in milliseconds. */
const DELAY = 15;
/** Of this many requests, at most one may be refused. */
const ONE_IN = 5_000;
/** If the machine stands still for longer, the server takes that for a pause of the client, see docs/clients.md. */
const STOOD_STILL_MS = 2_000;
/** The last one counts in any case. */
const ATTEMPTS = 3;

interface Scenario extends Http2LoadOptions {
  readonly delay?: number;
  /** The requests that it has to have sent. */
  readonly atLeast: number;
  /** Of so many requests, one may be lost. Default: not one may. */
  readonly mayLoseOneIn?: number;
}

const SCENARIOS: Record<string, readonly Scenario[]> = {
  'busy sessions': [
    { kind: 'busy', clients: 20, retries: false, atLeast: ONE_IN, mayLoseOneIn: ONE_IN },
    { kind: 'busy', clients: 5, loops: 8, retries: false, atLeast: ONE_IN, mayLoseOneIn: ONE_IN },
    { kind: 'busy', clients: 5, retries: true, atLeast: 1_000 },
  ],
  'sessions with pauses': [
    { kind: 'bursty', clients: 40, retries: false, atLeast: ONE_IN, mayLoseOneIn: ONE_IN },
    { kind: 'bursty', clients: 10, retries: true, atLeast: 1_000 },
    { kind: 'slow answers', clients: 10, loops: 4, retries: false, atLeast: 1_000, mayLoseOneIn: 1_000 },
  ],
  'new connections over a delayed link': [{ kind: 'new connections', clients: 40, retries: false, delay: DELAY, atLeast: 2_000 }],
  'clients that think, over a delayed link': [{ kind: 'thinking', clients: 10, retries: true, delay: DELAY, atLeast: 1_000 }],
};

/** What became of the load of each scenario. */
async function restartUnderAll(t: Test, scenarios: readonly Scenario[]): Promise<readonly Http2Load[]> {
  const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
  const argument = { serve: ['h2'], key: keyFile, cert: certFile, drainTimeout: 20_000 };
  const program = start(t, fixture('protocols'), { args: [JSON.stringify(argument)] });
  const port = portOf(await program.announced('ready'));
  const targets = await Promise.all(
    scenarios.map(async ({ delay }) => ({ port: delay === undefined ? port : await relayTo(t, port, delay), ca: cert })),
  );
  const loads = scenarios.map((scenario, index) => new Http2Load(targets[index]!, scenario));
  const answers = scenarios.map(({ atLeast }) => Math.ceil(atLeast / (RESTARTS + 1)));
  await restartUnder(program, loads, RESTARTS, answers);
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  t.strictSame(
    program.all('closed').map(({ code, cutOff }) => ({ code, cutOff })),
    Array.from({ length: RESTARTS + 1 }, () => ({ code: 0, cutOff: [] })),
  );
  return loads;
}

async function measure(t: Test, scenarios: readonly Scenario[]): Promise<void> {
  let loads = await restartUnderAll(t, scenarios);
  for (let attempt = 2; attempt <= ATTEMPTS && loads.some(({ longestWait }) => longestWait > STOOD_STILL_MS); attempt += 1) {
    for (const load of loads) t.comment(`does not count: ${rowOf(load)}`);
    loads = await restartUnderAll(t, scenarios);
  }
  for (const [index, load] of loads.entries()) {
    const { atLeast, mayLoseOneIn = Infinity } = scenarios[index]!;
    const { lost, sent } = load;
    const most = Math.floor(sent / mayLoseOneIn);
    t.comment(rowOf(load));
    t.ok(sent >= atLeast, `${sent} of at least ${atLeast} requests`);
    t.ok(lost.length <= most, `${lost.length} lost of at most ${most}\n${lost.slice(0, 5).join('\n')}`);
  }
}

for (const [name, scenarios] of Object.entries(SCENARIOS)) t.test(name, (t) => measure(t, scenarios));
