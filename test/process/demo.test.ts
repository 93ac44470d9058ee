import { once } from 'node:events';
import t from 'tap';
import { WebSocket } from 'ws';
import { portOf } from '../support/address.js';
import { servingPid, startDemo, startOnLoopback, stopDemo } from '../support/demo/start-demo.js';
import { get, getBody, send } from '../support/http/client.js';
import { waitUntil } from '../support/wait.js';
import { type FromServer, type Notice } from '../../demo/page/messages.js';

t.test('the demo does what the readme shows', async (t) => {
  const demo = startDemo(t, '--a0', ':0', '--a1', ':0', '--a2', ':0');
  const serving = /^Serving (\[::\]:\d+), (\[::\]:\d+), (\[::\]:\d+) with pid (\d+)\.$/m;
  await waitUntil('the first line', () => serving.test(demo.output()), demo.output);
  const [, a0 = '', a1 = '', a2 = '', pid] = serving.exec(demo.output())!;
  t.equal(Number(pid), demo.process.pid);
  const link = `Open http://localhost:${portOf(a0)}/ and press Restart.`;
  await waitUntil('the link', () => demo.output().includes(link), demo.output);

  const slow = getBody(a0, '/sleep/?duration=1s500ms');
  await getBody(a0, '/sleep/?duration=0');
  process.kill(Number(pid), 'SIGUSR2');
  const handoff = /^Graceful handoff of (.*) with new pid (\d+) and old pid (\d+)$/m;
  await waitUntil('the hand-over', () => handoff.test(demo.output()), demo.output);
  const [, where, newPid, oldPid] = handoff.exec(demo.output())!;
  t.equal(where, `${a0}, ${a1}, ${a2}`);
  t.equal(oldPid, pid);
  // The old process accepts until it hears that the new one does.
  const answer = new RegExp(`^One: started at .*Z, slept for 10 ms, pid ${newPid}\\.$`, 'm');
  await waitUntil('an answer of the new process', async () => answer.test(await getBody(a1, '/sleep/?duration=10ms')), demo.output);
  t.match(await slow, new RegExp(`^Zero: started at .*Z, slept for 1500 ms, pid ${pid}\\.$`, 'm'));
  await waitUntil('the old process to exit', () => demo.output().includes(`Exiting pid ${pid}.`), demo.output);

  t.match(await getBody(a2), /<title>ts-grace demo: Two<\/title>/);
  for (const path of ['//', '//:99999/', '/nothing']) t.match(await getBody(a2, path), /^Not found/, path);
  for (const duration of ['3h', 'soon', '-1s', '1', '']) {
    t.match(await getBody(a0, `/sleep/?duration=${duration}`), /not a duration, expected for example/, duration);
  }
  process.kill(Number(newPid), 'SIGTERM');
  await waitUntil('the new process to exit', () => demo.output().includes(`Exiting pid ${newPid}.`), demo.output);
});

t.test('an unknown flag and an invalid address are errors', async (t) => {
  for (const [args, code, message] of [
    [['--a3', ':1'], 2, /usage: npm run demo/],
    [['--a0', 'nonsense:x'], 1, /cannot read the address "nonsense:x"/],
  ] as const) {
    const demo = startDemo(t, ...args);
    t.same(await once(demo.process, 'close'), [code, null]);
    t.match(demo.output(), message);
  }
});

t.test('the page and its files', async (t) => {
  const demo = await startOnLoopback(t);
  const page = await get(demo, '/');
  t.match(page.headers, { 'content-type': /^text\/html/, 'content-security-policy': /^default-src 'self'/ });
  const files = [...page.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
  t.strictSame(files.sort(), ['/page/main.js', '/page/page.css']);
  const main = await get(demo, '/page/main.js');
  for (const [, path] of main.body.matchAll(/from ["']\.(\/[^"']+)["']/g)) files.push(`/page${path}`);
  t.ok(files.length > 5);
  for (const path of files) {
    const { status, headers } = await get(demo, path);
    t.equal(status, 200, path);
    t.match(headers['content-type'], path.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
  }
  for (const path of ['/page/tsconfig.json', '/page/../main.js', '/page/main.ts']) t.equal((await get(demo, path)).status, 404, path);
  await stopDemo(demo);
});

t.test('POST /restart restarts, into releases that work or do not, and the answer says how it went', async (t) => {
  const demo = await startOnLoopback(t);
  const restart = (release: string, options = {}): ReturnType<typeof send> =>
    send(demo, { method: 'POST', path: `/restart?release=${release}`, ...options });
  const first = servingPid(demo);
  t.match(await restart('broken'), { status: 500, body: /exited with code 1.*This release is broken/s });
  t.match(JSON.parse((await get(demo, '/answer')).body), { pid: first, generation: 1 });
  const good = await restart('good');
  t.equal(good.status, 200);
  t.equal(good.headers['demo-pid'], String(first), 'the old process answers what it has begun');
  await waitUntil('the new process', () => servingPid(demo) !== first, demo.output);
  t.equal(good.body, `Process ${servingPid(demo)} serves.\n`);
  // The old process accepts until it hears that the new one does.
  let answer: { pid: number; generation: number } | undefined;
  const isNew = async (): Promise<boolean> => {
    answer = JSON.parse((await get(demo, '/answer?after=1ms')).body) as { pid: number; generation: number };
    return answer.generation === 2;
  };
  await waitUntil('an answer of the new process', isNew, demo.output);
  t.equal(answer?.pid, servingPid(demo));
  t.equal((await restart('unknown')).status, 400);
  t.equal((await get(demo, '/restart')).status, 405);
  t.equal((await get(demo, '/answer?after=soon')).status, 400);
  for (const origin of ['http://example.org', 'null', `http://127.0.0.1:${demo.port + 1}`]) {
    t.equal((await restart('good', { headers: { Origin: origin } })).status, 403, origin);
  }
  t.match(JSON.parse((await get(demo, '/answer')).body), { generation: 2 });
  await stopDemo(demo);
});

t.test('a WebSocket of the page moves, and hears of all processes', async (t) => {
  const demo = await startOnLoopback(t);
  const ws = new WebSocket(`ws://127.0.0.1:${demo.port}/socket`);
  t.teardown(() => ws.terminate());
  const heard: FromServer[] = [];
  ws.on('message', (data) => heard.push(JSON.parse(String(data as Buffer)) as FromServer));
  const hellos = (): FromServer[] => heard.filter(({ type }) => type === 'hello');
  await waitUntil('hello', () => hellos().length === 1);
  const first = servingPid(demo);
  process.kill(first, 'SIGUSR2');
  await waitUntil(
    'hello of the new process',
    () => hellos().length === 2,
    () => JSON.stringify(heard),
  );
  const second = servingPid(demo);
  t.match(hellos(), [
    { pid: first, generation: 1 },
    { pid: second, generation: 2 },
  ]);
  const notices = (): Notice[] =>
    heard.flatMap((said) => (said.type === 'hello' ? said.history : said.type === 'notice' ? [said.notice] : []));
  const isKnown = (what: string, pid: number): boolean => notices().some((notice) => notice.what === what && notice.pid === pid);
  await waitUntil(
    'the end of the old process',
    () => isKnown('closed', first),
    () => JSON.stringify(heard),
  );
  for (const what of ['ready', 'restarting', 'draining']) t.ok(isKnown(what, first), `${first} ${what}`);
  t.ok(isKnown('ready', second));
  t.match(
    notices().find(({ text }) => text?.startsWith('restarted:')),
    { pid: first, text: `restarted: process ${second} serves` },
  );
  ws.send('.');
  await waitUntil('pong', () => heard.some((said) => said.type === 'pong' && said.pid === second));
  t.equal(ws.readyState, WebSocket.OPEN);
  const closed = once(ws, 'close') as Promise<[number]>;

  const foreign = new WebSocket(`ws://127.0.0.1:${demo.port}/socket`, { origin: 'http://example.org' });
  const [, response] = (await once(foreign, 'unexpected-response')) as [unknown, { statusCode: number }];
  t.equal(response.statusCode, 403);
  foreign.on('error', () => undefined).terminate();
  await stopDemo(demo);
  t.equal((await closed)[0], 1001, 'a stop does not wait for the page');
});
