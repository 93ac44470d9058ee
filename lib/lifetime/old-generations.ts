import { type Carried } from '../inherit/carried.js';
import { isCount } from '../handoff/json.js';

/** Key under which each generation tells the one before how many old ones are newer. */
const NEWER = 'grace.newer';

/**
 * Keeps the number of old generations small: the option `maxDraining`. The process
 * that serves asks its predecessor, and each old one asks the one before it, so every
 * old generation knows how many others are newer. One that is too many hurries.
 */
export class OldGenerations {
  /** Fulfils when this process has to end soon. */
  readonly hurried: Promise<void>;
  readonly #carried: Carried;

  /** @param maximum - how many old generations may drain. */
  constructor(carried: Carried, maximum: number) {
    this.#carried = carried;
    this.hurried = new Promise((done) => {
      carried.onAsk(NEWER, (newer) => {
        if (!isCount(newer)) return;
        if (newer >= maximum) done();
        carried.ask(NEWER, newer + 1);
      });
    });
  }

  /** This process serves. */
  begin(): void {
    this.#carried.ask(NEWER, 0);
  }
}
