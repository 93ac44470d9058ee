import { once } from 'node:events';
import { type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Namespace } from './namespace.js';
import { waitUntil } from '../wait.js';

/** What the clients had. */
export interface Load {
  readonly answered: number;
  /** The errors of requests that got no answer. No request is sent a second time. */
  readonly lost: readonly string[];
  /** The processes that answered, by the number at the end of their answers. */
  readonly pids: readonly number[];
}

/** Half of the clients keep their connections. They run inside of a namespace. */
const CLIENTS = `
  import http from 'node:http';
  import { setTimeout as sleep } from 'node:timers/promises';
  const result = { answered: 0, lost: [], pids: [] };
  let stopped = false;
  process.stdin.on('end', () => { stopped = true; }).resume();
  const ask = (agent) => new Promise((done, fail) => {
    http.get(process.argv[2], { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => { body += text; });
      response.on('end', () => (response.complete && response.statusCode === 200 ? done(body) : fail(new Error('status ' + response.statusCode))));
      response.on('error', fail);
    }).on('error', fail);
  });
  await Promise.all(Array.from({ length: 12 }, async (_, index) => {
    const agent = new http.Agent({ keepAlive: index % 2 === 0, maxSockets: 1 });
    while (!stopped) {
      try {
        const pid = Number(/(\\d+)\\n$/.exec(await ask(agent))[1]);
        result.answered += 1;
        if (!result.pids.includes(pid)) console.log(JSON.stringify({ pid: result.pids[result.pids.push(pid) - 1] }));
      } catch (error) {
        result.lost.push(String(error));
      }
      await sleep(5 + Math.random() * 20);
    }
    agent.destroy();
  }));
  console.log(JSON.stringify(result));
`;

/** A load on a URL inside of a namespace. */
export class Clients {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = '';

  constructor(namespace: Namespace, folder: string, url: string) {
    const path = join(folder, 'clients.mjs');
    writeFileSync(path, CLIENTS);
    this.#process = namespace.spawn(folder, process.execPath, path, url);
    this.#exited = once(this.#process, 'close');
    this.#process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  /** Waits until so many processes have answered. */
  async answeredBy(count: number): Promise<void> {
    await waitUntil(
      `answers of ${count} processes`,
      () => this.#output.split('\n').length > count,
      () => this.#output,
    );
  }

  async stop(): Promise<Load> {
    this.#process.stdin!.end();
    await this.#exited;
    return JSON.parse(this.#output.trim().split('\n').at(-1)!) as Load;
  }
}
