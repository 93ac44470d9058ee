import https from 'node:https';
import { type TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { type Target, send } from '../../support/http/client.js';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

const CLIENTS = 2_000;
const AT_ONCE = 50;
const HANDOVER_MS = 5_000;
/** A client pauses up to twice as long between two requests. */
const MEAN_PAUSE_MS = 1_000;
/** Handshakes are counted in each of these. */
const STEP_MS = 500;
/** In none of them are there more than twice as many as there were if all had the same number. */
const MOST = 2;
const LONGEST_WAIT_MS = 250;

t.setTimeout(150_000);

interface Handshake {
  readonly at: number;
  readonly resumed: boolean;
}

/** Says when a connection has done its handshake. */
class WatchedAgent extends https.Agent {
  readonly #onHandshake: (handshake: Handshake) => void;

  constructor(onHandshake: (handshake: Handshake) => void) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#onHandshake = onHandshake;
  }

  override createConnection(...args: Parameters<https.Agent['createConnection']>): TLSSocket {
    const socket = super.createConnection(...args) as TLSSocket;
    socket.once('secureConnect', () => this.#onHandshake({ at: performance.now(), resumed: socket.isSessionReused() }));
    return socket;
  }
}

/** Clients that keep their connections, and connect again when they are told to leave. They resume their sessions. */
class TlsClients {
  readonly handshakes: Handshake[] = [];
  readonly lost: string[] = [];
  /** Who answered each of them last. */
  readonly pids: number[] = [];
  readonly #target: Target;
  readonly #waits: { readonly begin: number; readonly time: number }[] = [];
  #running: Promise<unknown> | undefined;
  #stopped = false;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Fulfils when all of them have had an answer. */
  async connect(): Promise<void> {
    const agents: https.Agent[] = [];
    while (agents.length < CLIENTS) {
      const some = Array.from({ length: AT_ONCE }, () => new WatchedAgent((handshake) => this.handshakes.push(handshake)));
      await Promise.all(some.map((agent, index) => this.#ask(agent, agents.length + index)));
      agents.push(...some);
    }
    this.#running = Promise.all(agents.map((agent, index) => this.#run(agent, index)));
  }

  /** The longest wait, in milliseconds, of a request that began after a moment. */
  longestWait(since: number): number {
    return this.#waits.reduce((longest, { begin, time }) => (begin < since ? longest : Math.max(longest, time)), 0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(agent: https.Agent, index: number): Promise<void> {
    await sleep(Math.random() * 2 * MEAN_PAUSE_MS);
    while (!this.#stopped) {
      const begin = performance.now();
      await this.#ask(agent, index).catch((error: unknown) => this.lost.push(String(error)));
      this.#waits.push({ begin, time: performance.now() - begin });
      await sleep(Math.random() * 2 * MEAN_PAUSE_MS);
    }
    agent.destroy();
  }

  async #ask(agent: https.Agent, index: number): Promise<void> {
    this.pids[index] = (await send(this.#target, { agent })).pid;
  }
}

t.test(`${CLIENTS} TLS clients do not shake hands all at once`, async (t) => {
  // Its key is one of an elliptic curve, which costs the server least.
  const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
  const argument = { https: ['127.0.0.1:0'], key: keyFile, cert: certFile, handoverTime: HANDOVER_MS };
  const program = start(t, fixture('server'), { args: [JSON.stringify(argument)] });
  const clients = new TlsClients({ port: portOf(await program.announced('ready')), ca: cert });
  await clients.connect();
  await sleep(2 * MEAN_PAUSE_MS);
  const asked = performance.now();
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('restarted');
  const begin = performance.now();
  const { pid } = await program.announced('ready', 2);
  await waitUntil('answers of the new process to all clients', () => clients.pids.every((other) => other === pid));
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
