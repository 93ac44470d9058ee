import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';
import { TlsClients } from './tls-clients.js';

const CLIENTS = 2_000;
const HANDOVER_MS = 5_000;
/** Between two requests of a client. */
const MEAN_PAUSE_MS = 2_500;
/** Handshakes are counted in each of these. */
const STEP_MS = 500;
/** In none of them are there more than twice as many as there were if all had the same number. */
const MOST = 2;
const LONGEST_WAIT_MS = 250;

t.setTimeout(150_000);

t.test(`${CLIENTS} TLS clients do not shake hands all at once`, async (t) => {
  // Its key is one of an elliptic curve, and sessions resume, so that a handshake costs about a millisecond on each side.
  const { keyFile: key, certFile: cert } = await makeCertificate(scratch(t));
  const program = start(t, fixture('release/secure'), { args: [JSON.stringify({ key, cert, handoverTime: HANDOVER_MS })] });
  const clients = new TlsClients(portOf(await program.announced('ready')), CLIENTS, MEAN_PAUSE_MS);
  await clients.connect();
  await sleep(2 * MEAN_PAUSE_MS);
  const asked = performance.now();
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('restarted');
  const begin = performance.now();
  const { pid } = await program.announced('ready', 2);
  await waitUntil('answers of the new process to all clients', () => clients.elsewhere(pid) === 0);
  const longest = clients.longestWait(asked);
  await clients.stop();

  const during = clients.handshakes.filter(({ at }) => at >= begin);
  const steps = Array.from({ length: HANDOVER_MS / STEP_MS }, () => 0);
  let late = 0;
  for (const { at } of during) {
    const step = Math.floor((at - begin) / STEP_MS);
    if (step < steps.length) steps[step]! += 1;
    else late += 1;
  }
  const resumed = during.filter((handshake) => handshake.resumed).length;
  t.comment(`${during.length} handshakes, ${resumed} of them resume a session; in each ${STEP_MS} ms: ${steps.join(' ')}; later: ${late}`);
  t.comment(`longest wait: ${longest.toFixed(0)} ms`);
  t.strictSame(clients.lost, []);
  t.ok(Math.max(...steps) <= (MOST * during.length) / steps.length, 'they are spread');
  t.ok(longest < LONGEST_WAIT_MS, `the longest wait was ${longest.toFixed(0)} ms`);
  process.kill(pid, 'SIGTERM');
  await program.ended();
});
