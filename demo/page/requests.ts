import { type Recording } from './recording.js';

const EVERY_MS = 100;
/** A browser opens six connections to a server. Two are for the quick requests. */
const MOST_QUICK = 2;
export const MOST_SLOW = 4;
const SLOW = '8s';
/** After a lost request: nobody may be there. */
const PAUSE_MS = 1_000;

/** Sends the requests of the page, and records what becomes of each. */
export class Requests {
  readonly #recording: Recording;
  #quick = 0;
  #slow = 0;
  #pausedUntil = 0;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** Sends a quick request again and again. */
  keepAsking(): void {
    setInterval(() => {
      if (this.#quick < MOST_QUICK && performance.now() >= this.#pausedUntil) void this.#askQuickly();
    }, EVERY_MS);
  }

  /** How many slow requests are waiting for their answer. */
  get slow(): number {
    return this.#slow;
  }

  /** The head of the answer comes at once, the rest after some seconds. */
  async askSlowly(): Promise<void> {
    if (this.#slow >= MOST_SLOW) return;
    this.#slow += 1;
    await this.#send(`/answer?after=${SLOW}`);
    this.#slow -= 1;
  }

  async restart(release: string): Promise<void> {
    await this.#send(`/restart?release=${release}`, { method: 'POST' });
  }

  async #askQuickly(): Promise<void> {
    this.#quick += 1;
    if (!(await this.#send('/answer'))) this.#pausedUntil = performance.now() + PAUSE_MS;
    this.#quick -= 1;
  }

  async #send(path: string, init: RequestInit = {}): Promise<boolean> {
    const exchange = this.#recording.begin();
    try {
      const response = await fetch(path, { cache: 'no-store', ...init });
      exchange.pid = Number(response.headers.get('Demo-Pid'));
      await response.text();
      this.#recording.answered(exchange);
      return true;
    } catch {
      this.#recording.failed(exchange);
      return false;
    }
  }
}
