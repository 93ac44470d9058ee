import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Kept while nobody reads the pipe; older lines are dropped. */
const MAX_LINES = 10_000;
const MAX_BYTES = 2 * 1024 * 1024;
const RETRY_MS = 100;

/** Writes lines to a nonblocking pipe: what the pipe has no room for is kept and written later. */
export class LineQueue {
  readonly #fd: number;
  #lines: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  #held = false;
  #ended = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** @param line - without its line feed */
  add(line: string): void {
    this.addBack(Buffer.from(`${line}\n`));
  }

  /** Adds a line that was in the pipe already, behind the others. */
  addBack(line: Buffer): void {
    this.#lines.push(line);
    this.#bytes += line.length;
    this.#dropOldest();
    this.#flush();
  }

  /** Adds lines that were in the pipe already, before the others: those have not been written yet, so they are later. */
  putBack(lines: readonly Buffer[]): void {
    this.#lines = [...lines, ...this.#lines];
    this.#bytes += lines.reduce((sum, line) => sum + line.length, 0);
    this.#dropOldest();
    this.#flush();
  }

  /** Writes nothing until {@link release}: nobody reads the pipe. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#flush();
  }

  /** Resolves when everything is written, or after `milliseconds`; nothing is written after that. */
  async end(milliseconds: number): Promise<void> {
    const deadline = performance.now() + milliseconds;
    while (this.#lines.length > 0 && performance.now() < deadline) await sleep(RETRY_MS);
    this.#ended = true;
    clearTimeout(this.#retry);
  }

  #dropOldest(): void {
    while (this.#lines.length > MAX_LINES || this.#bytes > MAX_BYTES) {
      this.#bytes -= this.#lines.shift()!.length;
      this.#dropped += 1;
    }
  }

  #flush(): void {
    clearTimeout(this.#retry);
    if (this.#held || this.#ended) return;
    if (this.#dropped > 0) this.#lines.unshift(Buffer.from(`${this.#dropped} lines of the log were lost, as nobody read them\n`));
    this.#dropped = 0;
    try {
      while (this.#lines.length > 0) {
        const line = this.#lines[0]!;
        const written = writeSync(this.#fd, line);
        this.#bytes -= written;
        if (written < line.length) this.#lines[0] = line.subarray(written);
        else this.#lines.shift();
      }
      this.#bytes = 0;
    } catch {
      // EAGAIN: the pipe is full. Nothing else is a reason to stop serving either.
      this.#retry = setTimeout(() => this.#flush(), RETRY_MS);
    }
  }
}
