import net from 'node:net';
import t from 'tap';
import { onFatalError } from '../../gracehttp/accept-errors.js';
import { recordReports } from '../support/reports.js';

const failure = (code: string): Error => Object.assign(new Error(`accept ${code}`), { code });

/** All errors that accept(2) of Linux can have, apart from those of a bad descriptor. */
const PASSING = [
  ...['EAGAIN', 'ECONNABORTED', 'EINTR', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EPROTO', 'EPERM'],
  ...['ENETDOWN', 'ENOPROTOOPT', 'EHOSTDOWN', 'ENONET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOSR', 'ESOCKTNOSUPPORT', 'ETIMEDOUT'],
];
const FATAL = ['EBADF', 'EINVAL', 'ENOTSOCK', 'EFAULT', 'EOPNOTSUPP'];

t.test('only errors of the listening socket itself are fatal; all others are waited out, with one warning for each kind', async (t) => {
  const server = new net.Server();
  const fatal: string[] = [];
  const reports = recordReports(t);
  onFatalError(server, ({ message }) => fatal.push(message));
  for (const code of [...PASSING, ...PASSING, ...FATAL]) server.emit('error', failure(code));
  await new Promise((done) => setImmediate(done));
  t.strictSame(
    fatal,
    FATAL.map((code) => `accept ${code}`),
  );
  t.strictSame(
    reports,
    PASSING.map((code) => `warning: cannot accept connections at the moment: accept ${code}`),
  );
});
