import { type Notice } from './messages.js';

/** The life of one process of the server, as far as the page knows it. Times are milliseconds by `performance.now()`. */
export interface Process {
  /** Unknown while it starts. */
  pid: number | undefined;
  readonly generation: number;
  readonly from: number;
  /** When it began to serve. */
  serving: number | undefined;
  /** When it began to drain. */
  draining: number | undefined;
  until: number | undefined;
  /** Whether it never served, or died while it served. */
  failed: boolean;
}

export class Processes {
  list: Process[] = [];
  readonly #seen = new Set<string>();
  readonly #colours = new Map<number, number>();

  /** The newest process that serves. */
  get serving(): Process | undefined {
    return this.list.findLast(({ serving, draining, until }) => serving !== undefined && draining === undefined && until === undefined);
  }

  get starting(): Process | undefined {
    return this.list.find(({ serving, until }) => serving === undefined && until === undefined);
  }

  get draining(): readonly Process[] {
    return this.list.filter(({ draining, until }) => draining !== undefined && until === undefined);
  }

  /** The newest process that failed. */
  get failure(): Process | undefined {
    return this.list.findLast(({ failed }) => failed);
  }

  /** Each process has its own colour, in the order in which they were seen. One that starts has the next. */
  colourOf(pid: number | undefined): number {
    if (pid === undefined) return this.#colours.size;
    const known = this.#colours.get(pid);
    if (known !== undefined) return known;
    const colour = this.#colours.size;
    this.#colours.set(pid, colour);
    return colour;
  }

  /** A process said that it has the WebSocket, so it serves. */
  greet(pid: number, generation: number): void {
    const now = performance.now();
    const process = this.#find(pid, generation, now);
    process.serving ??= now;
    process.draining = undefined;
    process.until = undefined;
    for (const other of this.list) {
      if (other === process || other.until !== undefined) continue;
      if (other.generation < generation) other.draining ??= other.serving === undefined ? undefined : now;
      // It took over, and is gone: the one before it serves again. Or the whole server was started anew.
      else if (other.serving !== undefined || other.generation === generation) this.#end(other, now, other.draining === undefined);
    }
  }

  /**
   * @param at - when it happened, by `performance.now()`.
   * @returns false for a notice that arrived before.
   */
  note({ id, what, pid, generation }: Notice, at: number): boolean {
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    switch (what) {
      case 'restarting':
        this.#add(undefined, generation + 1, at);
        break;
      case 'ready':
        this.#find(pid, generation, at).serving ??= at;
        break;
      case 'restart-failed':
        this.#end(this.starting, at, true);
        break;
      case 'draining':
        this.#find(pid, generation, at).draining ??= at;
        break;
      case 'closed':
        this.#end(this.#find(pid, generation, at), at, false);
        break;
      default:
    }
    return true;
  }

  forget(before: number): void {
    this.list = this.list.filter(({ until = Infinity }) => until > before);
  }

  #find(pid: number, generation: number, at: number): Process {
    const known = this.list.find((process) => process.pid === pid);
    if (known !== undefined) return known;
    const { starting } = this;
    if (starting === undefined || starting.generation !== generation) return this.#add(pid, generation, at);
    starting.pid = pid;
    return starting;
  }

  #add(pid: number | undefined, generation: number, from: number): Process {
    const process: Process = { pid, generation, from, serving: undefined, draining: undefined, until: undefined, failed: false };
    this.list.push(process);
    return process;
  }

  #end(process: Process | undefined, at: number, failed: boolean): void {
    if (process === undefined || process.until !== undefined) return;
    process.until = at;
    process.failed = failed;
  }
}
