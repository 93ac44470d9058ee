import net from 'node:net';
import t from 'tap';
import { onFatalError } from '../../gracehttp/accept-errors.js';
import { recordReports } from '../support/reports.js';

const failure = (code: string): Error => Object.assign(new Error(`accept ${code}`), { code });

t.test('temporary errors are warned of once each, others are passed on', async (t) => {
  const server = new net.Server();
  const fatal: string[] = [];
  const reports = recordReports(t);
  onFatalError(server, ({ message }) => fatal.push(message));
  for (const code of ['EMFILE', 'ECONNABORTED', 'EMFILE', 'EBADF']) server.emit('error', failure(code));
  await new Promise((done) => setImmediate(done));
  t.strictSame(fatal, ['accept EBADF']);
  t.strictSame(reports, ['EMFILE', 'ECONNABORTED'].map((code) => `warning: cannot accept connections at the moment: accept ${code}`));
});
