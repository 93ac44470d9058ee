import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** `auto`: the program of `bare`, under `ts-grace/auto`. */
export type Kind = 'bare' | 'auto' | 'ours' | 'limited' | 'page';

/** A program that listens on any free port is not handed over, so it needs a number. Each process ends when it has drained. */
const AUTO = { PORT: '3917', GRACE_FOLLOW: 'false', GRACE_PROBATION: '0', GRACE_IDLE_TIMEOUT: '500' };
const AUTO_FILE = new URL('../gracehttp/auto/compiled/load.js', import.meta.url).href;

/** A benchmarked server. It prints facts, which are read in order. */
export class Program {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(kind: Kind, env: NodeJS.ProcessEnv = {}) {
    const file = fileURLToPath(new URL(`programs/${kind === 'auto' ? 'bare' : kind}.js`, import.meta.url));
    const nodeArgs = kind === 'auto' ? ['--import', AUTO_FILE] : [];
    this.process = spawn(process.execPath, ['--expose-gc', ...nodeArgs, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...(kind === 'auto' ? AUTO : {}), ...env },
    });
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  async fact(name: string): Promise<number> {
    return (await this.facts(name))[name]!;
  }

  /** Reads on until a line has this fact, and gives all of that line. */
  async facts(name: string): Promise<Readonly<Record<string, number>>> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`the program exited before it printed ${name}`);
      const facts = JSON.parse(value) as Record<string, number>;
      if (facts[name] !== undefined) return facts;
    }
  }

  async memory(): Promise<number> {
    this.process.kill('SIGHUP');
    return this.fact('memory');
  }

  async end(pid = this.process.pid!): Promise<void> {
    process.kill(pid, 'SIGTERM');
    for (;;) if ((await this.#lines.next()).done === true) return;
  }
}
