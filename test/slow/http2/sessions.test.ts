import t, { type Test } from 'tap';
import { portOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { Http2Load, type Http2LoadOptions } from '../../support/http2/load.js';
import { relayTo } from '../../support/http2/relay.js';
import { restartUnder, rowOf } from '../../support/http2/restarts.js';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';

t.setTimeout(110_000);

const RESTARTS = 5;
/** One way, in milliseconds. */
const DELAY = 15;
/** Of this many requests, at most one may be refused. */
const ONE_IN = 5_000;
/** Clients that lose nothing. */
const EXACT = new Set<Http2LoadOptions['kind']>(['new connections']);

interface Scenario extends Http2LoadOptions {
  readonly delay?: number;
}

const SCENARIOS: Record<string, readonly Scenario[]> = {
  'busy sessions': [
    { kind: 'busy', clients: 20, retries: false },
    { kind: 'busy', clients: 5, loops: 8, retries: false },
  ],
  'sessions with pauses': [
    { kind: 'bursty', clients: 40, retries: false },
    { kind: 'bursty', clients: 10, retries: true },
    { kind: 'slow answers', clients: 10, loops: 4, retries: false },
  ],
  'new connections over a delayed link': [{ kind: 'new connections', clients: 40, retries: false, delay: DELAY }],
  'clients that think, over a delayed link': [{ kind: 'thinking', clients: 10, retries: true, delay: DELAY }],
};

/** How many requests may be lost; one is always allowed, but for those that have to lose nothing. */
function mayLose({ sent, options: { kind } }: Http2Load): number {
  return EXACT.has(kind) ? 0 : Math.max(1, Math.floor(sent / ONE_IN));
}

async function measure(t: Test, scenarios: readonly Scenario[]): Promise<void> {
  const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
  const argument = { serve: ['h2'], key: keyFile, cert: certFile, drainTimeout: 20_000 };
  const program = start(t, fixture('protocols'), { args: [JSON.stringify(argument)] });
  const port = portOf(await program.announced('ready'));
  const targets = await Promise.all(
    scenarios.map(async ({ delay }) => ({ port: delay === undefined ? port : await relayTo(t, port, delay), ca: cert })),
  );
  const loads = scenarios.map((scenario, index) => new Http2Load(targets[index]!, scenario));
  await restartUnder(program, loads, RESTARTS);
  for (const load of loads) {
    const { lost, refused, sent, options } = load;
    t.comment(rowOf(load));
    if (options.retries) t.strictSame(lost, [], 'no request is lost if a refused one is sent again');
    else t.ok(lost.length <= mayLose(load), `${lost.length} of ${sent} lost\n${lost.slice(0, 5).join('\n')}`);
    t.ok(refused <= sent);
  }
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  t.strictSame(
    program.all('closed').map(({ code, cutOff }) => ({ code, cutOff })),
    Array.from({ length: RESTARTS + 1 }, () => ({ code: 0, cutOff: [] })),
  );
}

for (const [name, scenarios] of Object.entries(SCENARIOS)) t.test(name, (t) => measure(t, scenarios));
