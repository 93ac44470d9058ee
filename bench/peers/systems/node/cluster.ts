import { nodeProgram } from '../../run/node-packages.js';
import { type System } from '../system.js';
import { bySignal } from '../ways.js';

/**
 * Documentation of Node.js, `worker.disconnect()`: its example sends the worker a message, disconnects it, and kills it after two seconds.
 * Two workers, one after the other, each when its new one listens.
 */
export const cluster: System = {
  name: 'cluster',
  title: 'Node.js cluster, rolling',
  group: 'Node.js',
  restarts: 'a new worker for each',
  version: () => process.version.slice(1),
  start: (place) => bySignal(place.spawn(process.execPath, [nodeProgram('cluster.mjs')]), 'SIGUSR2'),
};
