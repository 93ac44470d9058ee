import { type Carried } from '../inherit/carried.js';
import { type Settings } from '../options.js';
import { type Idling, exitWhenIdle } from './exit-when-idle.js';
import { OldGenerations } from './old-generations.js';
import { type Recycled, recycle } from './recycle.js';

/** The process that this is about. */
export type Living = Recycled & Idling;

interface Inner {
  readonly settings: Pick<Settings, 'maxDraining' | 'recycle' | 'exitWhenIdle'>;
  readonly carried: Carried;
}

/** How long a process lives: when it restarts or ends by itself, and when it hurries in its drain. */
export class Lifetime {
  readonly #old: OldGenerations;

  constructor(grace: Living, { settings, carried }: Inner) {
    this.#old = new OldGenerations(carried, settings.maxDraining);
    grace.once('ready', () => {
      this.#old.begin();
      const removers: (() => void)[] = [];
      if (settings.recycle !== undefined) removers.push(recycle(grace, settings.recycle));
      if (settings.exitWhenIdle > 0) removers.push(exitWhenIdle(grace, settings.exitWhenIdle));
      grace.once('closed', () => removers.forEach((remove) => remove()));
    });
  }

  /** Calls the handler when this process drains and has to end soon, see OldGenerations. */
  onHurry(handler: (tooMany: number) => void): void {
    this.#old.onHurry = handler;
  }
}
