import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { portOf } from '../../support/address.js';
import { median } from '../../soak/slope.js';
import { type Announcement, type Program, fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

const REPETITIONS = 50;
const KINDS = ['SIGKILL', 'throw', 'hang'] as const;
const HANG_TIMEOUT_MS = 400;
const CLIENTS = 8;
/** Those that keep their connection, and move with it. */
const KEEP_ALIVE = 5;
const PAUSE_MS = 4;
/** The death comes at any time from the first moment on, with connections under way, idle, and in the middle of requests. */
const LATEST_DEATH_MS = 150;
const LATEST_REQUEST = 60;
const SERVES_AGAIN_WITHIN_MS = 100;

t.setTimeout(175_000);

type Kind = (typeof KINDS)[number];

/** One request. Times are milliseconds of the clock that all processes share. */
interface Outcome {
  readonly begin: number;
  readonly end: number;
  /** Who answered; undefined if the request is lost. */
  readonly pid: number | undefined;
  /** The client's port: by it a process that has accepted the connection names it. */
  readonly port: number | undefined;
  readonly code: string | undefined;
}

const now = (): number => performance.timeOrigin + performance.now();

/** Asks again and again, and never retries. */
class Clients {
  readonly outcomes: Outcome[] = [];
  readonly #port: number;
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(port: number) {
    this.#port = port;
    this.#running = Promise.all(Array.from({ length: CLIENTS }, (_, index) => this.#run(index < KEEP_ALIVE)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** When the first answer of a process came to a request that was sent after a moment. */
  async servedAgain(pid: number, since: number): Promise<number> {
    const find = (): Outcome | undefined => this.outcomes.find((outcome) => outcome.pid === pid && outcome.begin >= since);
    await waitUntil('answers of the old process', () => find() !== undefined);
    return find()!.end;
  }

  async #run(keepAlive: boolean): Promise<void> {
    const agent = new http.Agent({ keepAlive, maxSockets: 1 });
    while (!this.#stopped) {
      this.outcomes.push(await this.#ask(agent));
      await sleep(Math.random() * 2 * PAUSE_MS);
    }
    agent.destroy();
  }

  #ask(agent: http.Agent): Promise<Outcome> {
    const begin = now();
    let port: number | undefined;
    return new Promise((done) => {
      const settle = (pid?: number, code?: string): void => done({ begin, end: now(), pid, port, code });
      const request = http.get({ port: this.#port, host: '127.0.0.1', agent }, (response) => {
        response.resume();
        response.on('end', () => settle(Number(response.headers['x-pid'])));
        response.on('error', (error: NodeJS.ErrnoException) => settle(undefined, error.code));
      });
      request.on('socket', (socket) => {
        const note = (): void => {
          port = socket.localPort;
        };
        if (socket.connecting) socket.once('connect', note);
        else note();
      });
      request.on('error', (error: NodeJS.ErrnoException) => settle(undefined, error.code ?? error.message));
    });
  }
}

/** The connections that a process has had. */
function portsOf(program: Program, pid: number): ReadonlySet<unknown> {
  return new Set(
    program
      .all('connection')
      .filter((connection) => connection.pid === pid)
      .map(({ port }) => port),
  );
}

/** Starts the next process and lets it die. Returns when it died, by the shared clock, and its pid. */
async function release(program: Program, kind: Kind): Promise<{ readonly pid: number; readonly at: number }> {
  const before = program.all('ready').length;
  process.kill(program.pid, 'SIGUSR2');
  if (kind !== 'SIGKILL') {
    const { pid, at } = await newest(program, 'dies');
    return { pid, at: Number(at) };
  }
  const { pid } = await program.announced('ready', before + 1);
  await sleep(Math.random() * LATEST_DEATH_MS);
  process.kill(pid, 'SIGKILL');
  return { pid, at: now() };
}

function newest(program: Program, event: string): Promise<Announcement> {
  return program.announced(event, program.all(event).length + 1);
}

t.test(`${REPETITIONS} deaths on probation, at random: only requests inside of the dead process are lost`, async (t: Test) => {
  const fault = join(scratch(t), 'fault');
  writeFileSync(fault, '');
  const options = { fault, probation: { time: 60_000, hangTimeout: HANG_TIMEOUT_MS } };
  const program = start(t, fixture('release/dying'), { args: [JSON.stringify(options)] });
  const clients = new Clients(portOf(await program.announced('ready')));
  const times = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
  const lost: Outcome[] = [];
  for (let nth = 1; nth <= REPETITIONS; nth += 1) {
    const kind = KINDS[nth % KINDS.length]!;
    writeFileSync(fault, kind === 'SIGKILL' ? '' : `${kind} ${1 + Math.floor(Math.random() * LATEST_REQUEST)}`);
    clients.outcomes.length = 0;
    const { pid, at } = await release(program, kind);
    times.get(kind)!.push((await clients.servedAgain(program.pid, at)) - at);
    t.match(await program.announced('restart-reverted', nth), { pid: program.pid, successor: pid, state: 'serving' });
    // Each client has asked again, so that one that had its connection in the dead process has noticed.
    const since = now();
    await waitUntil('all clients', () => clients.outcomes.filter(({ begin }) => begin >= since).length > CLIENTS * 2);
    const failed = clients.outcomes.filter((outcome) => outcome.pid === undefined);
    const inside = portsOf(program, pid);
    const outside = failed.filter(({ port }) => !inside.has(port));
    // SIGKILL may come between accept(2) and the line that says so.
    const unsaid = kind === 'SIGKILL' ? outside.slice(0, 1) : [];
    t.strictSame(outside, unsaid, `${kind} ${nth}: ${failed.length} requests are lost, all of them inside of the dead process`);
    t.ok(failed.length <= CLIENTS, 'a client loses one at most');
    lost.push(...failed);
  }
  await clients.stop();
  t.strictSame(
    lost.filter(({ code }) => code === 'ECONNREFUSED'),
    [],
    'no connection was refused',
  );
  for (const [kind, found] of times) {
    const shown = `${kind}: served again after ${median(found).toFixed(0)} ms, at most ${Math.max(...found).toFixed(0)} ms`;
    const limit = SERVES_AGAIN_WITHIN_MS + (kind === 'hang' ? HANG_TIMEOUT_MS : 0);
    t.ok(median(found) < limit, shown);
    t.comment(shown);
  }
  t.comment(`${lost.length} requests were lost in ${REPETITIONS} deaths`);
  t.equal(program.all('closed').length, 0);
  process.kill(program.pid, 'SIGTERM');
  await program.ended();
});
