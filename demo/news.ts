import { type App } from 'ts-grace/gracehttp';
import { type Notice } from './page/messages.js';

const KEY = 'demo.news';
const HISTORY_LENGTH = 40;

/**
 * What happens to the processes of the demo, for the page. The process that serves
 * has the page's WebSocket, so it also hears from those that drain.
 */
export class News {
  /** Called with each notice, of this process and of those before it. */
  onNotice: (notice: Notice) => void = () => undefined;
  readonly #app: App;
  #history: Notice[] = [];
  #count = 0;

  constructor(app: App) {
    this.#app = app;
    let left: readonly Notice[] = [];
    app.carried.leave(KEY, () => (left = this.#history));
    // What came while the successor started.
    app.on('restarted', () => {
      for (const notice of this.#history) if (!left.includes(notice)) app.carried.tell(KEY, notice);
    });
    app.on('ready', () => {
      const { predecessor, generation } = app;
      this.#history = [...((app.carried.get(KEY) as Notice[] | undefined) ?? []), ...this.#history];
      app.carried.hear(
        KEY,
        (notice) => this.#add(notice as Notice),
        () => this.#add(this.#notice('closed', { pid: predecessor!, generation: generation - 1 })),
      );
      this.#add(this.#notice('ready'));
    });
    app.on('restarting', () => this.#add(this.#notice('restarting')));
    app.on('restart-failed', ({ stderr }) => this.#add({ ...this.#notice('restart-failed'), ...(stderr ? { text: stderr.trim() } : {}) }));
    app.on('draining', () => this.#add(this.#notice('draining')));
    app.on('closed', () => this.#add(this.#notice('closed')));
  }

  /** The newest notices, oldest first. */
  get history(): readonly Notice[] {
    return this.#history;
  }

  /** A message for the operator, see the option `log`. */
  say(text: string): void {
    this.#add({ ...this.#notice('message'), text });
  }

  #notice(what: Notice['what'], { pid, generation } = { pid: process.pid, generation: this.#app.generation }): Notice {
    return { id: `${process.pid}.${(this.#count += 1)}`, at: Date.now(), what, pid, generation };
  }

  #add(notice: Notice): void {
    this.#history = [...this.#history, notice].slice(-HISTORY_LENGTH);
    this.onNotice(notice);
    this.#app.carried.tell(KEY, notice);
  }
}
