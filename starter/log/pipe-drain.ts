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

  begin(): void {
    this.#timer ??= setInterval(() => this.#read(), LOOK_EVERY_MS);
    this.#read();
  }

  /** Leaves what comes from now on to the next reader. */
  end(): void {
    if (this.#timer === undefined) return;
    // On a busy machine the last look may be long ago. What came since then must not get in front of what was read.
    this.#read();
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#rest !== '') this.#onLine(Buffer.from(this.#rest, BYTES));
    this.#rest = '';
  }

  #read(): void {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    try {
      for (;;) {
        const length = readSync(this.#fd, buffer);
        if (length === 0) return;
        const lines = (this.#rest + buffer.toString(BYTES, 0, length)).split(/(?<=\n)/);
        const last = lines.at(-1);
        this.#rest = last === undefined || last.endsWith('\n') || last.length >= CHUNK_BYTES ? '' : (lines.pop() ?? '');
        for (const line of lines) this.#onLine(Buffer.from(line, BYTES));
        if (length < CHUNK_BYTES) return;
      }
    } catch {
      // EAGAIN: it is empty.
    }
  }
}
