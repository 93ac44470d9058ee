import { type Server } from 'node:net';
import { errnoCode } from '../lib/errors.js';
import { logger, warn } from '../lib/log.js';

const log = logger('accept');

/** Errors of accept(2) that pass: the client left first, or the process or the machine is out of resources. */
const TEMPORARY = new Set(['ECONNABORTED', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN', 'EINTR', 'EPROTO']);

/**
 * Calls the handler for an error after which a listening server can accept no
 * more. Temporary errors are logged, and the first of each kind is a warning.
 */
export function onFatalError(server: Server, handler: (error: Error) => void): void {
  const seen = new Set<string>();
  server.on('error', (error) => {
    // serve() rejects with it.
    if ((error as NodeJS.ErrnoException).syscall === 'listen') return;
    const code = errnoCode(error) ?? '';
    if (!TEMPORARY.has(code)) return handler(error);
    log('%s', error.message);
    if (!seen.has(code)) warn(`cannot accept connections at the moment: ${error.message}`);
    seen.add(code);
  });
}
