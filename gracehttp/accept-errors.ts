import { type Server } from 'node:net';
import { errnoCode } from '../lib/errors.js';
import { logger, warn } from '../lib/log.js';

const log = logger('accept');

/**
 * Errors of accept(2) that are about the listening socket itself, so that no
 * later call can succeed. All others are about one connection, or about
 * resources, a firewall or a network that is down, and pass.
 */
const FATAL = new Set(['EBADF', 'EINVAL', 'ENOTSOCK', 'EFAULT', 'EOPNOTSUPP']);

/**
 * Calls the handler for an error after which a listening server can accept no
 * more. All other errors are logged, and the first of each kind is a warning.
 */
export function onFatalError(server: Server, handler: (error: Error) => void): void {
  const seen = new Set<string>();
  server.on('error', (error) => {
    // serve() rejects with it.
    if ((error as NodeJS.ErrnoException).syscall === 'listen') return;
    const code = errnoCode(error) ?? '';
    if (FATAL.has(code)) return handler(error);
    log('%s', error.message);
    if (!seen.has(code)) warn(`cannot accept connections at the moment: ${error.message}`);
    seen.add(code);
  });
}
