import t from 'tap';
import { HttpConnection } from '../../../gracehttp/http/http-connection.js';
import { spread } from '../../../gracehttp/http/spread.js';
import { waitUntil } from '../../support/wait.js';

const TIME_MS = 400;

t.test('each connection leaves at some moment, and not before it', async (t) => {
  const connections = Array.from({ length: 200 }, () => new HttpConnection(undefined, true));
  const begin = performance.now();
  const leaves = spread(connections, TIME_MS);
  const counts: number[] = [];
  await waitUntil('the time', () => {
    counts.push(connections.filter(leaves).length);
    return performance.now() - begin >= TIME_MS;
  });
  t.ok(counts[0]! < connections.length / 2, `${counts[0]} leave at once`);
  t.ok(
    counts.every((count, index) => index === 0 || count >= counts[index - 1]!),
    'one that has to leave has to leave later too',
  );
  t.equal(connections.filter(leaves).length, connections.length, 'at the end all leave');
  t.equal(leaves(new HttpConnection(undefined, true)), true, 'one that comes after the time too');
});
