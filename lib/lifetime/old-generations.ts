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
  /** Called when this process has to end soon; again at each further restart, with how many old generations are too many. */
  onHurry: (tooMany: number) => void = () => undefined;
  readonly #carried: Carried;

  /** @param maximum - how many old generations may drain. */
  constructor(carried: Carried, maximum: number) {
    this.#carried = carried;
    carried.onAsk(NEWER, (newer) => {
      if (!isCount(newer)) return;
      if (newer >= maximum) this.onHurry(newer - maximum + 1);
      carried.ask(NEWER, newer + 1);
    });
  }

  /** This process serves. */
  begin(): void {
    this.#carried.ask(NEWER, 0);
  }
}
