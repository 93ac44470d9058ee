import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import { type ServerEntry } from '../../../gracehttp/entry/server-entry.js';
import { serveHere } from '../../support/app.js';

t.test('invalid limits', async (t) => {
  const app = await serveHere(t, {}, { server: http.createServer(), listen: '127.0.0.1:0' });
  for (const value of [1.5, NaN, -0.5, '7' as unknown as number]) {
    t.throws(() => app.servers[0]!.limit(value), { name: 'GraceError', code: 'OPTION_INVALID', subject: 'limit', value });
  }
  await app.stop();
  const table: [Partial<ServerEntry>, string][] = [
    [{ maxConnections: -1 }, 'maxConnections'],
    [{ maxConnections: 0 }, 'maxConnections'],
    [{ maxConnections: 2.5 }, 'maxConnections'],
    [{ maxConnections: NaN }, 'maxConnections'],
    [{ maxQueued: -1 }, 'maxQueued'],
    [{ maxQueued: 0.1 }, 'maxQueued'],
    [{ overflow: '504' as 'reset' }, 'overflow'],
    [{ overflow: '503', server: net.createServer() }, 'overflow'],
  ];
  for (const [entry, subject] of table) {
    const served = serveHere(t, {}, { server: http.createServer(), listen: '127.0.0.1:0', ...entry });
    await t.rejects(served, { name: 'GraceError', code: 'OPTION_INVALID', subject });
  }
});
