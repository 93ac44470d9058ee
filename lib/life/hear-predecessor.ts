import { type Predecessor } from '../handoff/predecessor.js';
import { logger } from '../log.js';
import { type Signals } from '../signals/signals.js';
import { type Parts } from './parts.js';

const log = logger('grace');

/** From now on, this process does what the generations before it pass on: restarts, and signals that the first process gets. */
export function hearPredecessor(life: Parts, predecessor: Predecessor, signals: Signals): void {
  predecessor.onRestart = () => signals.requestRestart('the previous process');
  if (predecessor.follow === undefined) return;
  const onAlone = (): void => {
    log('the first process is gone, so this service counts as stopped');
    if (life.state === 'serving') void life.stop();
  };
  life.following.join(predecessor.follow, life.generation.carried, ({ signal, self }) => signals.forwarded(signal, self), onAlone);
}
