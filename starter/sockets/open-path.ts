import { unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { bindError, bindPath } from '../../lib/socket/bind.js';
import { GraceError } from '../../lib/errors.js';
import { checkPath, identify, removeSocketFile } from '../../lib/socket/socket-file.js';
import { type HeldSocket } from './held-socket.js';
import { fdName } from './descriptors.js';

/**
 * Binds a unix socket at its path, for everybody to connect to, as
 * Server::Starter does; it is to be made to listen later. A stale socket is
 * removed, any other file never.
 *
 * It is not bound under another name and moved, as the sockets of a `Grace` are:
 * getsockname(2) in a worker has to tell the path.
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
        close: () => {
          // libuv unlinks the path, whoever's it is by now: a later one's socket has to be left open until this process ends.
          if (removeSocketFile(path, file)) socket.close();
        },
      };
    } finally {
      process.umask(umask);
    }
  } catch (cause) {
    const { code, message } = bindError(address, cause);
    const reason = message.slice(message.indexOf(': ') + 2);
    throw new GraceError(code, `failed to listen to file ${label}: ${reason}`, { subject: 'path', value: label, cause });
  }
}
