import { accessSync, constants, lstatSync, renameSync } from 'node:fs';
import { type Server } from 'node:net';
import { dirname } from 'node:path';
import { type FileIdentity } from '../../../lib/handoff/handoff-variable.js';
import { draftPath, identify } from '../../../lib/socket/socket-file.js';
import { handleOfServer } from './held-socket.js';

/**
 * Makes a server listen at the path of a unix socket. libuv unlinks the path that it
 * bound when the socket is closed, which the successor may still need; so it binds a draft
 * name, and the file is renamed. If that is not possible, Node.js says why.
 *
 * @param onListening - called with the socket file; not called if listen() failed.
 */
export function listenAtPath(
  server: Server,
  path: string,
  listen: (path?: string) => void,
  onListening: (file: FileIdentity) => void,
): void {
  const draft = canMake(path) ? draftPath(path) : undefined;
  listen(draft);
  if (!server.listening) return;
  if (draft !== undefined) {
    renameSync(draft, path);
    changeModeOf(server, draft, path);
  }
  onListening(identify(path));
}

/** For `readableAll` and `writableAll`, libuv changes the file by the name that it bound. */
function changeModeOf(server: Server, draft: string, path: string): void {
  const handle = handleOfServer(server);
  const native = handle?.fchmod;
  if (handle === undefined || native === undefined) return;
  handle.fchmod = (mode) => {
    renameSync(path, draft);
    try {
      return native.call(handle, mode);
    } finally {
      renameSync(draft, path);
    }
  };
}

/** Nothing is at the path, and a file can be made there. */
function canMake(path: string): boolean {
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}
