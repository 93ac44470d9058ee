import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../../support/wait.js';

/** Sends one request on a connection of its own; resolves to the body and the generation that answered. */
export type Ask = (port: number) => Promise<{ readonly body: string; readonly generation: string }>;

const THINK_MS = 10;

export const askHttp: Ask = (port) =>
  new Promise((done, fail) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/', agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('error', fail);
      response.on('close', () =>
        response.complete ? done({ body, generation: String(response.headers['x-generation']) }) : fail(new Error('cut off')),
      );
    });
    request.on('error', fail);
  });

/** FastCGI, as php-fpm speaks it: see the specification, 8. Types and Constants. */
export function askFastCgi(script: string): Ask {
  const record = (type: number, content: Buffer): Buffer => {
    const head = Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]);
    return Buffer.concat([head, content]);
  };
  const [BEGIN, PARAMS, STDIN, STDOUT] = [1, 4, 5, 6];
  const variables = { SCRIPT_FILENAME: script, REQUEST_METHOD: 'GET', SERVER_PROTOCOL: 'HTTP/1.1' };
  const pairs = Object.entries(variables).map(([name, value]) =>
    Buffer.concat([Buffer.from([name.length, value.length]), Buffer.from(name + value)]),
  );
  const message = Buffer.concat([
    record(BEGIN, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])),
    record(PARAMS, Buffer.concat(pairs)),
    record(PARAMS, Buffer.alloc(0)),
    record(STDIN, Buffer.alloc(0)),
  ]);
  return (port) =>
    new Promise((done, fail) => {
      const pieces: Buffer[] = [];
      const socket = net.connect(port, '127.0.0.1', () => socket.write(message));
      socket.on('data', (piece) => pieces.push(piece)).on('error', fail);
      socket.on('close', () => {
        const all = Buffer.concat(pieces);
        let output = '';
        for (let at = 0; at + 8 <= all.length; at += 8 + all.readUInt16BE(at + 4) + all[at + 6]!) {
          if (all[at + 1] === STDOUT) output += all.toString('utf8', at + 8, at + 8 + all.readUInt16BE(at + 4));
        }
        const [head = '', body = ''] = output.split('\r\n\r\n');
        done({ body, generation: /X-Generation: (\d+)/i.exec(head)?.[1] ?? '' });
      });
    });
}

/** Clients that never retry: what fails is lost. */
export class Requests {
  readonly lost: string[] = [];
  readonly generations = new Map<string, number>();
  #ended = false;
  readonly #running: Promise<unknown>;

  constructor(port: number, ask: Ask, clients: number) {
    this.#running = Promise.all(Array.from({ length: clients }, () => this.#run(port, ask)));
  }

  /** Waits until this generation has answered: a program may take longer to start than start_server waits. */
  async answeredBy(generation: number): Promise<void> {
    await waitUntil(
      `an answer of generation ${generation}`,
      () => this.generations.has(String(generation)),
      () => `answered: ${[...this.generations.keys()].join(', ')}; lost: ${this.lost.join(', ')}`,
    );
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  async #run(port: number, ask: Ask): Promise<void> {
    while (!this.#ended) {
      try {
        const { body, generation } = await ask(port);
        if (body !== 'hello') this.lost.push(`the body was ${JSON.stringify(body)}`);
        this.generations.set(generation, (this.generations.get(generation) ?? 0) + 1);
      } catch (error) {
        this.lost.push(String(error));
      }
      await sleep(THINK_MS);
    }
  }
}
