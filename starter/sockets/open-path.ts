import { unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { bindPath } from '../../lib/socket/bind.js';
import { checkPath, identify, removeSocketFile } from '../../lib/socket/socket-file.js';
import { fdName } from './descriptors.js';
import { type HeldSocket } from './held-socket.js';
import { openError } from './open-error.js';

/**
 * Binds a unix socket at its path, which does not listen yet. As with
 * Server::Starter all users may connect. Removes a stale socket, and never any
 * other file.
 *
 * A `Grace` binds its sockets under another name and renames them; here it is
 * bound at its path, so that getsockname(2) in a worker tells that path.
 */
export async function openPath(label: string, say: (message: string) => void): Promise<HeldSocket> {
  const path = resolve(label);
  const address = { kind: 'unix', path } as const;
  try {
    if (await checkPath(address, path)) {
      say(`removing existing socket file:${label}`);
      unlinkSync(path);
    }
    const umask = process.umask(0);
    try {
      const socket = bindPath(path);
      const file = identify(path);
      return {
        label,
        name: fdName(label),
        target: undefined,
        fd: socket.fd,
        kind: 'stream',
        bound: address,
        file,
        close: () => {
          // libuv unlinks the path when it closes the socket. If another socket has the path now, this one stays open until the process exits.
          if (removeSocketFile(path, file)) socket.close();
        },
      };
    } finally {
      process.umask(umask);
    }
  } catch (cause) {
    throw openError('path', label, address, cause);
  }
}
