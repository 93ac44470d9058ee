import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { type Test } from 'tap';
import { waitUntil } from '../wait.js';

/** A server behind HAProxy. */
export interface Backend {
  readonly name: string;
  readonly port: number;
  /** Answers the health checks. */
  readonly healthPort: number;
}

/** A real HAProxy that checks `/readyz`. */
export class HaProxy {
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
  }

  /** Clients connect to it. */
  get socketPath(): string {
    return join(this.#folder, 'front.sock');
  }

  static async start(t: Test, folder: string, backends: readonly Backend[]): Promise<HaProxy> {
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, configuration(folder, backends));
    // In the foreground and without a master process, so that the pid is that of the worker.
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
    await waitUntil(
      'HAProxy',
      () => process.exitCode !== null || started.#answers(),
      () => stderr,
    );
    if (process.exitCode !== null) throw new Error(`haproxy: ${stderr}`);
    return started;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** The state of a backend by its checks: `UP`, `DOWN`, `UP 1/2`, … */
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
 * HAProxy retries nothing and sends nothing to the other server, so that each request
 * without an answer is lost and shows. A check may take longer than the interval on a busy machine.
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
