import { Line } from './line.js';
import { cssColour } from './palette.js';
import { type Recording } from './recording.js';

const SIZE = 100;
const PING_EVERY_MS = 1_000;

/** Many WebSockets, each a dot in the colour of the process that has it. */
export class Crowd {
  readonly #recording: Recording;
  readonly #dots: HTMLElement;
  readonly #owners = new Map<number, number>();
  #lines: Line[] = [];

  constructor(recording: Recording, dots: HTMLElement) {
    this.#recording = recording;
    this.#dots = dots;
  }

  get isOpen(): boolean {
    return this.#lines.length > 0;
  }

  /** How many are connected. */
  get connected(): number {
    return this.#owners.size;
  }

  toggle(): void {
    if (this.isOpen) this.#close();
    else this.#lines = Array.from({ length: SIZE }, (_, index) => this.#open(index));
  }

  #open(index: number): Line {
    const dot = this.#dots.appendChild(document.createElement('i'));
    return new Line({
      path: '/socket?quiet',
      every: PING_EVERY_MS,
      onMessage: (message) => {
        if (message.type === 'notice' || this.#owners.get(index) === message.pid) return;
        this.#owners.set(index, message.pid);
        dot.style.background = cssColour(this.#recording.processes.colourOf(message.pid));
      },
      onLost: () => {
        this.#owners.delete(index);
        this.#recording.reconnects += 1;
        dot.style.background = 'var(--lost)';
      },
    });
  }

  #close(): void {
    for (const line of this.#lines) line.close();
    this.#lines = [];
    this.#owners.clear();
    this.#dots.replaceChildren();
  }
}
