import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';
import { slowness } from '../support/slowness.js';
import { TlsClients } from './tls-clients.js';

const CLIENTS = 1_000;
const HANDOVER_MS = 5_000;
/** Between two requests of a client. */
const MEAN_PAUSE_MS = 1_000;
/** Handshakes are counted in each of these. */
const STEP_MS = 500;
/** In none of them are there more than twice as many as there were if all had the same number. */
const MOST = 2;
const LONGEST_WAIT_MS = 250;
/** A handshake and its request need so many turns of the clients' process, and each may wait as long as that process stops. */
const OWN_TURNS = 3;

t.setTimeout(150_000);

t.test(`${CLIENTS} TLS clients do not shake hands all at once`, async (t) => {
  // Its key is one of an elliptic curve, and sessions resume, so that a handshake costs about a millisecond on each side.
  const { keyFile: key, certFile: cert } = await makeCertificate(scratch(t));
  const started = performance.now();
  const program = start(t, fixture('release/secure'), { args: [JSON.stringify({ key, cert, handoverTime: HANDOVER_MS })] });
  const port = portOf(await program.announced('ready'));
  const slower = slowness([performance.now() - started]);
  const clients = new TlsClients(port, CLIENTS, MEAN_PAUSE_MS);
  await clients.connect();
  await sleep(2 * MEAN_PAUSE_MS);
  const quiet = performance.now();
  await sleep(HANDOVER_MS);
  // On a machine that is busy, clients wait without a restart too.
  const before = clients.longestWait(quiet);
  // The clients' share of the handshakes keeps their own process busy; what they wait for that is not the server's time.
  const own = monitorEventLoopDelay();
  own.enable();
  const asked = performance.now();
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('restarted');
  const begin = performance.now();
  const { pid } = await program.announced('ready', 2);
  await waitUntil('answers of the new process to all clients', () => clients.elsewhere(pid) === 0);
  const longest = clients.longestWait(asked);
  own.disable();
  const stopped = own.max / 1e6;
  await clients.stop();

  const during = clients.handshakes.filter(({ at }) => at >= begin);
  const steps: number[] = [];
  for (const { at } of during) {
    const step = Math.floor((at - begin) / STEP_MS);
    steps[step] = (steps[step] ?? 0) + 1;
  }
  const even = during.length / (HANDOVER_MS / STEP_MS);
  const resumed = during.filter((handshake) => handshake.resumed).length;
  t.comment(
    `${during.length} handshakes, ${resumed} of them resume a session; in each ${STEP_MS} ms: ${Array.from(steps, (count = 0) => count).join(' ')}`,
  );
  t.comment(
    `longest wait: ${longest.toFixed(0)} ms; in the same time before the restart: ${before.toFixed(0)} ms; the clients' process stopped for ${stopped.toFixed(0)} ms`,
  );
  t.strictSame(clients.lost, []);
  t.ok(Math.max(...steps.filter((count) => count > 0)) <= MOST * even, 'they are spread');
  t.ok(longest - Math.max(before, OWN_TURNS * stopped) < LONGEST_WAIT_MS * slower, `the longest wait was ${longest.toFixed(0)} ms`);
  process.kill(pid, 'SIGTERM');
  await program.ended();
});
