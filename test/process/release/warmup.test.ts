import http2 from 'node:http2';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { connect, get, listenTo, targetOf } from '../../support/http/client.js';
import { makeCertificate } from '../../support/certificate.js';
import { scratch } from '../../support/scratch.js';
import { type Program, fixture, start } from '../../support/program.js';

async function begin(t: Test, argument: object): Promise<Program> {
  const program = start(t, fixture('release/warmed'), { args: [JSON.stringify(argument)] });
  await program.announced('ready');
  return program;
}

async function restart(program: Program): Promise<void> {
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
}

const address = (program: Program): string => (program.all('ready')[0]!.addresses as string[])[0]!;

for (const kind of ['http', 'https', 'http2', 'https2'] as const) {
  t.test(`a successor sends requests to itself before it is ready: ${kind}`, async (t) => {
    const { keyFile: key, certFile: cert } = await makeCertificate(scratch(t));
    const program = await begin(t, {
      kind,
      key,
      cert,
      warmup: { paths: ['/', { path: '/items?x=1', method: 'POST', body: 'text' }], times: 3 },
    });
    t.equal(program.all('request').length, 0, 'the first process does not');
    await restart(program);
    const requests = program.all('request');
    t.equal(requests.length, 6);
    t.match(requests.slice(0, 2), [
      // Node.js wraps a stream that is no socket, for HTTP/2.
      { url: '/', mark: '1', ready: false, method: 'GET', ...(kind.endsWith('2') ? {} : { from: '127.0.0.1' }) },
      { url: '/items?x=1', mark: '1', ready: false, method: 'POST' },
    ]);
  });
}

/** What a program sees of a mark that a client sends. */
const FORGING: Record<string, (address: string, ca: string) => Promise<string>> = {
  http: async (address) => (await get(targetOf(address), '/', FORGED)).body,
  https: async (address, ca) => (await get(targetOf(address, ca), '/', FORGED)).body,
  http2: (address) => getHttp2(`http://${address}`),
  https2: (address, ca) => getHttp2(`https://localhost:${new URL(`https://${address}`).port}`, ca),
  upgrade: async (address) => {
    const socket = connect(targetOf(address));
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: mark\r\nTS-Grace-Warmup: 1\r\n\r\n');
    return (await listenTo(socket)).said.split('\r\n\r\n')[1]!;
  },
};
const FORGED = { headers: { 'TS-Grace-Warmup': '1' } };

async function getHttp2(origin: string, ca?: string): Promise<string> {
  const session = http2.connect(origin, ca === undefined ? {} : { ca });
  const stream = session.request({ ':path': '/', 'ts-grace-warmup': '1' });
  const body = await text(stream);
  session.close();
  return body;
}

for (const [kind, ask] of Object.entries(FORGING)) {
  t.test(`a mark from outside does not reach the program: ${kind}`, async (t) => {
    const { keyFile: key, certFile: cert, cert: ca } = await makeCertificate(scratch(t));
    const program = await begin(t, { kind: kind === 'upgrade' ? 'http' : kind, key, cert, warmup: ['/'] });
    t.match(await ask(address(program), ca), new RegExp(`^${program.pid} undefined`), 'not in the first process, which did no warm-up');
    await restart(program);
    await program.announced('closed');
    t.match(await ask(address(program), ca), new RegExp(`^${program.serving} undefined`));
  });
}

t.test('a limit whose places are still taken does not hold it up', async (t) => {
  const program = await begin(t, { warmup: { paths: ['/'], times: 2 }, limit: 1 });
  await restart(program);
  t.equal(program.all('request').length, 2);
});

t.test('with required, a release whose pages are broken never serves', async (t) => {
  const program = await begin(t, { warmup: { paths: ['/'], required: true }, status: 500 });
  process.kill(program.pid, 'SIGUSR2');
  const failed = await program.announced('restart-failed');
  t.match(failed, { code: 'RESTART_FAILED', exitCode: 1 });
  t.match(program.all('error')[0], { code: 'WARMUP_FAILED', message: 'the warm-up failed: GET / answered 500' });
  t.equal(Number((await get(targetOf(address(program)))).body.split(' ')[0]), program.pid);
});

t.test('without required, that is a warning', async (t) => {
  const program = await begin(t, { warmup: ['/'], status: 503 });
  await restart(program);
  await program.logged(/warning: the warm-up failed: GET \/ answered 503/);
});

t.test('it is bounded in time', async (t) => {
  const program = await begin(t, { warmup: { paths: ['/'], timeout: 200 }, hangs: true });
  await restart(program);
  await program.logged(/warning: the warm-up failed: GET \/ was not answered within 200 ms/);
});

t.test('SIGTERM during a warm-up ends the process', async (t) => {
  const program = await begin(t, { warmup: { paths: ['/'], timeout: 30_000 }, hangs: true });
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('request');
  process.kill(program.pid, 'SIGTERM');
  await program.ended();
  t.equal(program.all('ready').length, 1);
});
