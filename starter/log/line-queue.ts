import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoCode } from '../../lib/errors.js';

/** Lines kept while nobody reads the pipe; older ones are dropped. */
const MAX_LINES = 10_000;
const RETRY_MS = 100;

/** Writes lines to a nonblocking pipe: what the pipe has no room for is kept and written later. */
export class LineQueue {
  readonly #fd: number;
  #lines: string[] = [];
  #retry: NodeJS.Timeout | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  add(line: string): void {
    this.#lines.push(`${line}\n`);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    this.#flush();
  }

  /** Resolves when everything is written, or after `milliseconds`; nothing is written after that. */
  async end(milliseconds: number): Promise<void> {
    const deadline = performance.now() + milliseconds;
    while (this.#lines.length > 0 && performance.now() < deadline) await sleep(RETRY_MS);
    clearTimeout(this.#retry);
  }

  #flush(): void {
    clearTimeout(this.#retry);
    try {
      while (this.#lines.length > 0) {
        writeSync(this.#fd, this.#lines[0]!);
        this.#lines.shift();
      }
    } catch (error) {
      if (errnoCode(error) !== 'EAGAIN') throw error;
      this.#retry = setTimeout(() => this.#flush(), RETRY_MS);
    }
  }
}
