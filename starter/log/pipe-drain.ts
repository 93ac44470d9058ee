import { readSync } from 'node:fs';

/** A pipe has room for 64 KiB; a program that writes faster than this waits for a moment. */
const LOOK_EVERY_MS = 20;
const CHUNK_BYTES = 65_536;
/** Keeps the bytes as they are. */
const BYTES = 'latin1';

/**
 * Reads a pipe while its reader is away: a full pipe would block all that write into it.
 *
 * @param fd - nonblocking.
 */
export class PipeDrain {
  readonly #fd: number;
  readonly #onLine: (line: Buffer) => void;
  #timer: NodeJS.Timeout | undefined;
  #rest = '';

  /** @param onLine - is called with each line and its line feed; the last one may have none. */
  constructor(fd: number, onLine: (line: Buffer) => void) {
    this.#fd = fd;
    this.#onLine = onLine;
  }

  /** @returns what is in the pipe now. What comes later is given to `onLine`. */
  begin(): Buffer[] {
    const found = this.#read();
    this.#timer = setInterval(() => this.#read().forEach(this.#onLine), LOOK_EVERY_MS);
    return [...found, ...this.#takeRest()];
  }

  /** Leaves what comes from now on to the next reader. */
  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    // On a busy machine the last look may be long ago. What came since then must not get in front of what was read.
    [...this.#read(), ...this.#takeRest()].forEach(this.#onLine);
  }

  #read(): Buffer[] {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const found: Buffer[] = [];
    try {
      for (;;) {
        const length = readSync(this.#fd, chunk);
        const lines = (this.#rest + chunk.toString(BYTES, 0, length)).split(/(?<=\n)/);
        const last = lines.at(-1);
        this.#rest = last === undefined || last.endsWith('\n') || last.length >= CHUNK_BYTES ? '' : (lines.pop() ?? '');
        found.push(...lines.map((line) => Buffer.from(line, BYTES)));
        if (length < CHUNK_BYTES) return found;
      }
    } catch {
      // EAGAIN: it is empty.
      return found;
    }
  }

  /** The beginning of a line whose end is not there yet. */
  #takeRest(): Buffer[] {
    const rest = this.#rest === '' ? [] : [Buffer.from(this.#rest, BYTES)];
    this.#rest = '';
    return rest;
  }
}
