import { closeSync } from 'node:fs';
import { warn } from '../log.js';
import { type InheritedSocket } from '../address/match.js';
import { removeSocketFile } from './socket-file.js';

/**
 * Closes a socket that this version of the program does not want.
 *
 * @param parentAlive - whether the parent still serves on it: then it empties the queue and removes the file.
 */
export function closeUnclaimed({ fd, bound, file, origin, name }: InheritedSocket, parentAlive: boolean): void {
  closeSync(fd);
  if (origin === 'systemd') {
    warn(`systemd passed a socket (name ${name ?? 'unknown'}, fd ${fd}) that no server listens on: its clients wait in vain`);
  }
  if (parentAlive || file === undefined || bound?.kind !== 'unix') return;
  removeSocketFile(bound.path, file);
}
