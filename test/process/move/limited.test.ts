import t from 'tap';
import { portsOf } from '../../support/address.js';
import { get } from '../../support/http/client.js';
import { rawClient } from '../../support/http/raw-client.js';
import { fixture, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

const PLACES = 4;
const GET = 'GET /?ms=1 HTTP/1.1\r\nHost: localhost\r\n\r\n';

t.test('a connection that moves takes its place along: the limit holds, and none of those that had a place has to wait', async (t) => {
  const argument = JSON.stringify({ follow: false, limit: { maxConnections: PLACES } });
  const program = start(t, fixture('limited'), { args: [argument] });
  const [port, control] = portsOf(await program.announced('ready'));
  const traffic = async (): Promise<Record<'open' | 'queued' | 'moved' | 'total' | 'free', number>> =>
    JSON.parse((await get({ port: control! }, '/')).body) as Record<'open' | 'queued' | 'moved' | 'total' | 'free', number>;
  const clients = await Promise.all(Array.from({ length: PLACES }, () => rawClient(t, port!)));
  for (const client of clients) client.send(GET);
  await Promise.all(clients.map((client) => client.answered(1)));
  process.kill(program.serving, 'SIGUSR2');
  await program.announced('ready', 2);
  await program.announced('closed');
  await waitUntil('all to have moved', async () => (await traffic()).moved === PLACES);
  const { open, queued, total, free } = await traffic();
  t.strictSame({ open, queued, total, free }, { open: PLACES, queued: 0, total: 0, free: 0 });
  const late = await rawClient(t, port!);
  late.send(GET);
  await waitUntil('the fifth to wait', async () => (await traffic()).queued === 1);
  for (const client of clients) client.send(GET);
  for (const client of clients) t.equal((await client.answered(2)).length, 2);
  t.equal((await late.answered(1)).length, 1, 'it gets a place when one of the others is closed or leaves');
  process.kill(program.serving, 'SIGTERM');
  for (const client of [...clients, late]) client.destroy();
  await program.ended();
});

t.test('if the limit of the new process is smaller, what has no place there ends in the old process', async (t) => {
  const limits = { limit: { maxConnections: PLACES }, limitInSuccessor: { maxConnections: PLACES - 1 } };
  const program = start(t, fixture('limited'), { args: [JSON.stringify({ follow: false, idleTimeout: 60_000, ...limits })] });
  const [port, control] = portsOf(await program.announced('ready'));
  const clients = await Promise.all(Array.from({ length: PLACES }, () => rawClient(t, port!)));
  for (const client of clients) client.send(GET);
  await Promise.all(clients.map((client) => client.answered(1)));
  process.kill(program.serving, 'SIGUSR2');
  await program.announced('ready', 2);
  const moved = async (): Promise<unknown> => (JSON.parse((await get({ port: control! }, '/')).body) as { moved: number }).moved;
  await waitUntil('three to have moved', async () => (await moved()) === PLACES - 1);
  for (const client of clients) client.send(GET);
  const answers = await Promise.all(clients.map((client) => client.answered(2)));
  const last = answers.map((all) => all[1]!.headers['connection'] === 'close');
  t.equal(last.filter(Boolean).length, 1, 'one response says Connection: close');
  await program.announced('closed');
  t.equal(await moved(), PLACES - 1);
  process.kill(program.serving, 'SIGTERM');
  for (const client of clients) client.destroy();
  await program.ended();
});
