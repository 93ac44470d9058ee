import { createRequire } from 'node:module';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { send } from '../../support/http/client.js';

/** One request after the other, until the service has stopped. Nothing is retried; each failure is counted. */
export type Client = (load: FrameworkLoad) => Promise<void>;

const PAUSE_MS = 15;
const AGAIN_WITHIN_MS = 10_000;
/** "Service restart": the client is told to come back. */
const RESTART = 1012;
/** The program of a page listens there. */
export const PORT = 3000;

/** What all clients of a program have seen. */
export class FrameworkLoad {
  answered = 0;
  readonly lost: string[] = [];
  /**
   * Connections that came in the moment in which the last socket was closed. The kernel resets them, as nobody can
   * accept them any more; a moment later it would have refused them.
   */
  resetByClose = 0;
  /** Set before the service stops: from then on, that nobody listens is no failure. */
  stopping = false;
  readonly #running: Promise<unknown>;

  constructor(clients: readonly Client[]) {
    this.#running = Promise.all(clients.map((client) => client(this)));
  }

  /** Counts a failure. Returns false if the client is to end. */
  failed(error: unknown): boolean {
    const { code, message } = error as { code?: unknown; message?: string };
    if (this.stopping && (code === 'ECONNREFUSED' || /ECONNREFUSED|UNAVAILABLE: No connection established/.test(message ?? '')))
      return false;
    if (this.stopping && code === 'ECONNRESET') this.resetByClose += 1;
    else this.lost.push(`${String(code)} ${message}`);
    return this.lost.length < 100;
  }

  async ended(): Promise<void> {
    await this.#running;
  }
}

/** HTTP clients, some with a new connection for each request. */
export function httpClients(options: http.RequestOptions = {}, body?: string): Client[] {
  return Array.from({ length: 16 }, (_, index) => async (load: FrameworkLoad) => {
    const agent = new http.Agent({ keepAlive: index % 4 !== 0, maxSockets: 1 });
    for (let goesOn = true; goesOn; await sleep(Math.random() * 2 * PAUSE_MS)) {
      try {
        const answer = await send({ port: PORT }, { path: '/', agent, ...options }, body);
        if (answer.status !== 200 || !answer.body.includes('hello')) throw new Error(`${answer.status}: ${answer.body.slice(0, 80)}`);
        load.answered += 1;
      } catch (error) {
        goesOn = load.failed(error);
      }
    }
    agent.destroy();
  });
}

export function webSocketClients(): Client[] {
  return Array.from({ length: 8 }, () => async (load: FrameworkLoad) => {
    for (let goesOn = true; goesOn; ) {
      try {
        await talk(load);
      } catch (error) {
        goesOn = load.failed(error);
      }
    }
  });
}

/** Talks on one connection until it is told to come back. */
function talk(load: FrameworkLoad): Promise<void> {
  return new Promise((done, fail) => {
    const socket = new WebSocket(`ws://127.0.0.1:${PORT}`);
    let count = 0;
    const say = (): void => {
      if (socket.readyState === WebSocket.OPEN) socket.send(String((count += 1)));
    };
    socket.on('open', say).on('error', fail);
    socket.on('message', (data) => {
      if (data.toString() !== `hello ${count}`) fail(new Error(`answer ${data.toString()} to ${count}`));
      load.answered += 1;
      setTimeout(say, PAUSE_MS);
    });
    socket.on('close', (code) => (code === RESTART ? done() : fail(new Error(`closed with ${code}`))));
  });
}

interface IoSocket {
  readonly connected: boolean;
  on(event: string, handler: (...args: never[]) => void): void;
  emitWithAck(event: string, value: string): Promise<string>;
  disconnect(): void;
}

/** Clients of Socket.IO with its defaults, but what the page says to set. */
export function socketIoClients(folder: string, transport = 'websocket'): Client[] {
  const { io } = createRequire(join(folder, 'x.js'))('socket.io-client') as { io(url: string, options: object): IoSocket };
  return Array.from({ length: 8 }, () => async (load: FrameworkLoad) => {
    const socket = io(`http://127.0.0.1:${PORT}`, { transports: [transport], retries: 5, ackTimeout: AGAIN_WITHIN_MS, forceNew: true });
    let left = performance.now();
    for (let count = 1; ; count += 1) {
      if (socket.connected) {
        left = performance.now();
        const reply = await Promise.race([socket.emitWithAck('hello', String(count)), stopped(socket, load)]).catch(
          (error: unknown) => void load.failed(error),
        );
        if (reply === `hello ${count}`) load.answered += 1;
      } else if (load.stopping) {
        break;
      } else if (performance.now() - left > AGAIN_WITHIN_MS) {
        load.failed(new Error('did not come back'));
        break;
      }
      await sleep(PAUSE_MS);
    }
    socket.disconnect();
  });
}

async function stopped(socket: IoSocket, load: FrameworkLoad): Promise<undefined> {
  while (socket.connected || !load.stopping) await sleep(PAUSE_MS);
  return undefined;
}

interface Grpc {
  readonly credentials: { createInsecure(): object };
  makeGenericClientConstructor(service: object, name: string): new (address: string, credentials: object) => GrpcClient;
}
interface GrpcClient {
  hello(value: string, done: (error: Error | null, reply: string) => void): void;
  close(): void;
}

export function grpcClients(folder: string): Client[] {
  const grpc = createRequire(join(folder, 'x.js'))('@grpc/grpc-js') as Grpc;
  const [write, read] = [(value: string) => Buffer.from(value), (bytes: Buffer) => bytes.toString()];
  const request = { requestStream: false, requestSerialize: write, requestDeserialize: read };
  const response = { responseStream: false, responseSerialize: write, responseDeserialize: read };
  const Greeter = grpc.makeGenericClientConstructor({ hello: { path: '/Greeter/hello', ...request, ...response } }, 'Greeter');
  return Array.from({ length: 8 }, () => async (load: FrameworkLoad) => {
    const client = new Greeter(`127.0.0.1:${PORT}`, grpc.credentials.createInsecure());
    for (let goesOn = true; goesOn; await sleep(PAUSE_MS)) {
      try {
        const reply = await new Promise<string>((done, fail) =>
          client.hello('you', (error, value) => (error === null ? done(value) : fail(error))),
        );
        if (reply !== 'hello you') throw new Error(reply);
        load.answered += 1;
      } catch (error) {
        goesOn = load.failed(error);
      }
    }
    client.close();
  });
}
