/** How much of the newest measurement is in the average. */
const SHARE_OF_NEWEST = 0.25;

/** Measures how long the rest of a turn of the event loop takes, in milliseconds. */
export class Turns {
  average = 0;
  #measuring = false;

  measure(): void {
    if (this.#measuring) return;
    this.#measuring = true;
    const begin = performance.now();
    setImmediate(() => {
      this.#measuring = false;
      this.average += (performance.now() - begin - this.average) * SHARE_OF_NEWEST;
    });
  }
}
