import { type Server } from 'node:net';
import { errnoCode } from '../lib/errors.js';
import { logger, warn } from '../lib/log.js';

const log = logger('accept');

/** What accept(2) fails with for a while: the connection left before, or the process or machine is full at the moment. */
const PASSING = new Set(['ECONNABORTED', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN', 'EINTR', 'EPROTO']);

/** Tells of an error after which a server that listens can serve no more. Others are logged, the first of a kind as a warning. */
export function onFatalError(server: Server, handler: (error: Error) => void): void {
  const seen = new Set<string>();
  server.on('error', (error) => {
    const code = errnoCode(error) ?? '';
    if (!PASSING.has(code)) return handler(error);
    log('%s', error.message);
    if (!seen.has(code)) warn(`cannot accept a connection at the moment: ${error.message}`);
    seen.add(code);
  });
}
