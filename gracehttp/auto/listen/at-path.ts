import { accessSync, chmodSync, constants, lstatSync, renameSync } from 'node:fs';
import { type Server } from 'node:net';
import { dirname } from 'node:path';
import { type FileIdentity } from '../../../lib/handoff/handoff-variable.js';
import { draftPath, identify } from '../../../lib/socket/socket-file.js';
import { handleOfServer } from './held-socket.js';

/** libuv's UV_READABLE and UV_WRITABLE. */
const FOR_READING = 1;
const FOR_WRITING = 2;

/**
 * Makes a server listen at the path of a unix socket. libuv unlinks the path that it
 * bound when the socket is closed, which the successor may still need; so it binds a draft
 * name, and the file is renamed. If that is not possible, Node.js says why.
 *
 * @param onListening - called with the socket file; not called if listen() failed.
 */
export function listenAtPath(server: Server, path: string, listen: (path?: string) => void, onListening: (file: FileIdentity) => void): void {
  const draft = canMake(path) ? draftPath(path) : undefined;
  listen(draft);
  if (!server.listening) return;
  if (draft !== undefined) {
    renameSync(draft, path);
    changeModeAt(server, path);
  }
  onListening(identify(path));
}

/** For `readableAll` and `writableAll`, libuv would change the file by the name that it bound. */
function changeModeAt(server: Server, path: string): void {
  const handle = handleOfServer(server);
  if (handle?.fchmod === undefined) return;
  handle.fchmod = (who) => {
    const added = (who & FOR_READING ? 0o444 : 0) | (who & FOR_WRITING ? 0o222 : 0);
    chmodSync(path, lstatSync(path).mode | added);
    return 0;
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
