import { type Results } from '../peers/results/results.js';
import { growthPicture } from './picture/growth.js';
import { latencyPicture } from './picture/latency.js';
import { lostPicture } from './picture/lost.js';
import { timelinePicture } from './picture/timeline.js';

/** Each picture with its path. */
export function pictures(results: Results): [string, string][] {
  const found: [string, string][] = [
    ['bench/pictures/timeline.svg', timelinePicture(results)],
    ['bench/pictures/lost.svg', lostPicture(results)],
    ['bench/pictures/latency.svg', latencyPicture(results)],
  ];
  if (results.growth !== undefined) found.push(['bench/pictures/growth.svg', growthPicture(results.growth)]);
  return found;
}
