import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { readAnswer } from '../bench/peers/load/answer.js';
import { Client } from '../bench/peers/load/client.js';
import { LOST, REFUSED, type RequestRecord, pack, unpack } from '../bench/peers/load/records.js';
import { parseResults } from '../bench/peers/results/results.js';
import { summarize } from '../bench/peers/run/summary.js';
import { SYSTEMS } from '../bench/peers/systems/all.js';
import { pages } from '../bench/report/pages.js';
import { pictures } from '../bench/report/pictures.js';
import { ROOT } from './support/sources.js';
import { waitUntil } from './support/wait.js';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const results = parseResults(read('bench/results.json'));

t.test('the tables of the documents are those of bench/results.json (npm run bench:report)', async (t) => {
  for (const { path, render } of pages) t.equal(render(read(path), results), read(path), path);
  const other = structuredClone(results);
  for (const { turns } of Object.values(other.systems)) for (const turn of turns) Object.assign(turn, { p99: turn.p99 + 1 });
  for (const { path, render } of pages) t.not(render(read(path), other), read(path), `${path} would notice another figure`);
});

t.test('the pictures are those of bench/results.json (npm run bench:report)', async (t) => {
  const found = pictures(results);
  t.ok(found.length >= 3);
  for (const [path, svg] of found) {
    t.equal(svg, read(path), path);
    t.notMatch(svg, /NaN|undefined|Infinity/, `${path} has numbers only`);
  }
});

t.test('each system was measured, or it is said why not', async (t) => {
  for (const { name } of SYSTEMS) t.ok(results.systems[name] !== undefined || results.missing[name] !== undefined, name);
  t.equal(new Set(SYSTEMS.map(({ name }) => name)).size, SYSTEMS.length, 'each name once');
});

t.test('the load ends with the benchmark that started it', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const load = fork(join(ROOT, 'dist/bench/peers/load/main.js'), [String((server.address() as AddressInfo).port), '1', '1', '5']);
  await once(server, 'connection');
  load.disconnect();
  t.strictSame(await once(load, 'exit'), [0, null]);
});

t.test('an answer is read when it is whole', async (t) => {
  const answer = 'HTTP/1.1 200 OK\r\nconnection: close\r\nContent-Length: 11\r\n\r\n{"pid": 12}';
  for (let length = 0; length < answer.length; length += 1) t.equal(readAnswer(answer.slice(0, length)), undefined);
  t.strictSame(readAnswer(answer), { status: 200, pid: 12, closes: true });
  t.throws(() => readAnswer('HTTP/1.1 200 OK\r\n\r\n'), /Content-Length/);
});

t.test('a restart: what is lost, refused and opened again', async (t) => {
  const record = (begin: number, pid: number, reconnected = false): RequestRecord => ({ begin, end: begin + 2, pid, reconnected });
  const records = [
    record(0, 7),
    record(10, 7),
    record(20, LOST),
    record(30, REFUSED),
    record(31, REFUSED, true),
    record(40, 8, true),
    record(50, 8),
  ];
  t.strictSame(unpack(pack(records)), records);
  const found = summarize(records, { quiet: 0, restart: 15, end: 60, old: new Set([7]) });
  t.match(found, { lost: 3, refused: 2, reconnects: 1, requests: 5, newAnswers: 27, p50: 2 });
});

/** What a keep-alive client sees of a server until `count` requests are done. */
async function seen(port: number, count: number): Promise<RequestRecord[]> {
  const records: RequestRecord[] = [];
  const client = new Client(port, true, 1, (record) => void records.push(record));
  await waitUntil('requests', () => records.length >= count);
  client.stop();
  return records;
}

t.test('a client that never retries', async (t) => {
  let requests = 0;
  const body = 'Content-Length: 9\r\n\r\n{"pid":1}';
  const answer = `HTTP/1.1 200 OK\r\n${body}`;
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      requests += 1;
      if (requests === 2) socket.destroy();
      else if (requests === 4) socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n${body}`);
      else if (requests === 6) socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
      else socket.write(answer);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const records = await seen(port, 7);
  t.strictSame(
    records.slice(0, 7).map(({ pid }) => pid),
    [1, LOST, 1, 1, 1, LOST, 1],
    'a closed connection and a 503 are lost, and an end that the answer announces is not',
  );
  t.ok(records[2]!.reconnected && records[4]!.reconnected, 'it connects again');
  t.strictSame(
    records.filter(({ reconnected }) => reconnected).length >= 2 && records[0]!.reconnected,
    false,
    'the first connection is no reconnection',
  );
});

t.test('nobody listens: refused', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  t.ok((await seen(port, 3)).every(({ pid }) => pid === REFUSED));
});
