import { type Cluster } from 'node:cluster';
import { GraceError } from '../errors.js';

/** @throws GraceError `RUNTIME_UNSUPPORTED` in a worker of node:cluster */
export function refuseClusterWorker(): void {
  // A worker has an IPC channel from the start. For other processes node:cluster is not loaded: it takes 3 ms.
  if (process.connected === undefined) return;
  if (!(process.getBuiltinModule('node:cluster') as unknown as Cluster).isWorker) return;
  throw new GraceError('RUNTIME_UNSUPPORTED', 'a cluster worker has no sockets of its own to hand over', {
    subject: 'cluster.isWorker',
    value: true,
  });
}
