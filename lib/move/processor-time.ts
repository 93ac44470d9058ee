/** How much of the newest measurement is in the average, if it is smaller. */
const SHARE_OF_NEWEST = 0.25;

/**
 * Measures the processor time of this process from one message to the next. Time in
 * which it waits does not count: neither for something to do, nor for a processor that others use.
 */
export class ProcessorTime {
  /** Milliseconds for each message. It rises at once, and falls slowly: the successor is busier with each connection that it has taken. */
  average = 0;
  #last = total();

  measure(): void {
    const now = total();
    const newest = now - this.#last;
    this.#last = now;
    this.average = Math.max(newest, this.average + (newest - this.average) * SHARE_OF_NEWEST);
  }
}

function total(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
