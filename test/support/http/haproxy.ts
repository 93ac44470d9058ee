import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { type Test } from 'tap';
import { waitUntil } from './wait.js';

/** A server behind HAProxy, and where it is asked for its health. */
export interface Backend {
  readonly name: string;
  readonly port: number;
  readonly healthPort: number;
}

/** A real HAProxy, with checks of `/readyz`. */
export class HaProxy {
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
  }

  /** Debian's package haproxy. */
  static get installed(): boolean {
    return spawnSync('haproxy', ['-v']).status === 0;
  }

  /** Where clients connect to. */
  get socketPath(): string {
    return join(this.#folder, 'front.sock');
  }

  static async start(t: Test, folder: string, backends: readonly Backend[]): Promise<HaProxy> {
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, configuration(folder, backends));
    // As a worker in the foreground; it ends by SIGTERM of its own pid.
    const process = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    process.stderr.on('data', (data: Buffer) => {
      stderr += String(data);
    });
    const exited = once(process, 'exit');
    const started = new HaProxy(process, folder);
    t.teardown(async () => {
      process.kill('SIGKILL');
      await exited;
    });
    await waitUntil('HAProxy', () => process.exitCode !== null || started.#answers(), () => stderr);
    if (process.exitCode !== null) throw new Error(`haproxy: ${stderr}`);
    return started;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** What the checks say of a backend: `UP`, `DOWN`, `UP 1/2`, … */
  async state(name: string): Promise<string> {
    const rows = (await this.#ask('show stat')).split('\n').map((row) => row.split(','));
    const column = rows[0]!.indexOf('status');
    return rows.find((row) => row[1] === name)?.[column] ?? 'unknown';
  }

  async #answers(): Promise<boolean> {
    return (await this.#ask('show info').catch(() => '')) !== '';
  }

  #ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(join(this.#folder, 'stats.sock'));
      let text = '';
      socket.on('data', (data: Buffer) => {
        text += String(data);
      });
      socket.on('error', reject).on('close', () => resolve(text));
      socket.write(`${command}\n`);
    });
  }
}

/**
 * Nothing is retried or sent to the other server: what HAProxy gets no answer for
 * is lost, and shows. A check may take longer than the interval on a busy machine.
 */
function configuration(folder: string, backends: readonly Backend[]): string {
  return `
global
  stats socket ${join(folder, 'stats.sock')}
defaults
  mode http
  retries 0
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout check 5s
frontend front
  bind ${join(folder, 'front.sock')}
  default_backend instances
backend instances
  balance roundrobin
  option httpchk GET /readyz
  http-check expect status 200
  default-server inter 100ms fall 2 rise 2
${backends.map(({ name, port, healthPort }) => `  server ${name} 127.0.0.1:${port} check port ${healthPort}`).join('\n')}
`;
}
