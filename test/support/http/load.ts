import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { LARGE_BYTES } from '../../fixtures/handler.js';
import { waitUntil } from '../wait.js';
import { ANSWERS_FOR_EACH, tooFew } from './check-load.js';
import { type Answer, type Target, answerTo, connect, open, send } from './client.js';

export interface LoadResult {
  answered: number;
  readonly lost: string[];
  /** Answers by the pid of the process that gave them. */
  readonly pids: Map<number, number>;
  /** The same for each kind of client and target. */
  readonly kinds: Record<string, Record<number, number>>;
  /** The longest time that a client waited, beyond what its request takes by itself. Milliseconds. */
  longestWait: number;
}

type Client = (target: Target, agent: http.Agent) => Promise<Outcome>;

/** An answer, and what its body has to be. */
interface Outcome extends Answer {
  readonly expected: string | RegExp;
}

const UPLOAD_PIECES = 6;
const PIECE_EVERY_MS = 50;
const LATE_MS = 1_000;
const SLOW_MS = 400;
const PIECES_MS = 300;

interface Kind {
  readonly client: Client;
  readonly keepAlive: boolean;
  /** The mean pause before the next request. Milliseconds. */
  readonly think: number;
  /** What a request takes by itself. Milliseconds. */
  readonly takes: number;
}

/** How clients behave. No client retries: a request that fails is lost. */
const CLIENTS: Readonly<Record<string, Kind>> = {
  'keep-alive': { client: (target, agent) => getExpecting(target, agent, '/'), keepAlive: true, think: 20, takes: 0 },
  'keep-alive in a hurry': { client: (target, agent) => getExpecting(target, agent, '/'), keepAlive: true, think: 0, takes: 0 },
  'a connection a request': { client: (target, agent) => getExpecting(target, agent, '/'), keepAlive: false, think: 5, takes: 0 },
  'slow answer': { client: (target, agent) => getExpecting(target, agent, `/?ms=${SLOW_MS}`), keepAlive: true, think: 10, takes: SLOW_MS },
  'answer in pieces': {
    client: (target, agent) => getExpecting(target, agent, `/pieces?ms=${PIECES_MS}`, /done$/),
    keepAlive: true,
    think: 10,
    takes: PIECES_MS,
  },
  'large answer': {
    client: (target, agent) => getExpecting(target, agent, '/large', 'x'.repeat(LARGE_BYTES)),
    keepAlive: true,
    think: 50,
    takes: 0,
  },
  'upload in pieces': { client: upload, keepAlive: true, think: 10, takes: UPLOAD_PIECES * PIECE_EVERY_MS },
  'speaks late': { client: speakLate, keepAlive: false, think: 0, takes: LATE_MS },
};

/** Runs clients of every kind until stop(). */
export class Load {
  readonly result: LoadResult = { answered: 0, lost: [], pids: new Map(), kinds: {}, longestWait: 0 };
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(targets: readonly Target[], clientsOfAKind: number) {
    const kinds = Object.entries(CLIENTS);
    this.#running = Promise.all(
      targets.flatMap((target) =>
        kinds.flatMap(([name, kind]) => {
          const label = `${name} to ${target.socketPath ?? target.port}${target.ca ? ' by TLS' : ''}`;
          this.result.kinds[label] = {};
          return Array.from({ length: clientsOfAKind }, () => this.#run(label, kind, target));
        }),
      ),
    );
  }

  /** Resolves when every kind of client has had answers from these processes. */
  async answeredBy(pids: readonly number[], answers = ANSWERS_FOR_EACH): Promise<void> {
    await waitUntil(
      `${answers} answers of ${pids.join(' or ')} for each kind of client`,
      () => tooFew(this.result.kinds, [pids], answers).length === 0,
      () => [...tooFew(this.result.kinds, [pids], answers), ...this.result.lost].join('\n'),
    );
  }

  /** Lets every client finish its request. */
  async stop(): Promise<LoadResult> {
    this.#stopped = true;
    await this.#running;
    return this.result;
  }

  async #run(label: string, { client, keepAlive, think, takes }: Kind, target: Target): Promise<void> {
    const Agent = target.ca === undefined ? http.Agent : https.Agent;
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    const answers = this.result.kinds[label]!;
    while (!this.#stopped) {
      const begin = performance.now();
      try {
        const { body, pid, expected } = await client(target, agent);
        const whole = typeof expected === 'string' ? body === expected : expected.test(body);
        if (!whole) throw new Error(`not the whole answer: ${body.length} characters, ${body.slice(0, 80)}`);
        this.result.answered += 1;
        this.result.pids.set(pid, (this.result.pids.get(pid) ?? 0) + 1);
        answers[pid] = (answers[pid] ?? 0) + 1;
      } catch (error) {
        this.result.lost.push(`${label}: ${String(error)}`);
      }
      this.result.longestWait = Math.max(this.result.longestWait, performance.now() - begin - takes);
      await sleep(Math.random() * 2 * think);
    }
    agent.destroy();
  }
}

async function getExpecting(target: Target, agent: http.Agent, path: string, expected: string | RegExp = /^slept/): Promise<Outcome> {
  return { ...(await send(target, { path, agent })), expected };
}

async function upload(target: Target, agent: http.Agent): Promise<Outcome> {
  const pieces = Array.from({ length: UPLOAD_PIECES }, () => randomBytes(2_000));
  const expected = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
  const request = open(target, { path: '/upload', method: 'POST', agent });
  const answer = answerTo(request);
  // Awaited after the last piece is sent; a failure before that must not count as unhandled.
  answer.catch(() => undefined);
  let failed = false;
  request.on('error', () => {
    failed = true;
  });
  for (const piece of pieces) {
    if (failed) break;
    request.write(piece);
    await sleep(Math.random() * 2 * PIECE_EVERY_MS);
  }
  request.end();
  return { ...(await answer), expected };
}

/** Connects and sends its first byte, also of TLS, a second later. */
async function speakLate(target: Target): Promise<Outcome> {
  const { ca, ...plain } = target;
  const socket = connect(plain);
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure = error;
  });
  await sleep(LATE_MS);
  if (failure !== undefined) throw failure;
  const createConnection = (): Socket => (ca === undefined ? socket : tls.connect({ socket, ca, servername: 'localhost' }));
  return { ...(await send(target, { path: '/', createConnection, agent: undefined })), expected: /^slept/ };
}
