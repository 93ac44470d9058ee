import { existsSync, readFileSync, readdirSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { portOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { get, getBody, targetOf } from '../../support/http/client.js';
import { children, isAlive, processesWith } from '../../support/proc.js';
import { type Program, fixture, start } from '../../support/program.js';
import { WAIT, goodRelease, writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';
import { skipUnless } from '../../support/skip.js';
import { descriptorOf, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

/** Longer than a start takes on a busy machine. */
const SHORT_MS = 1_500;
const CLIENTS = 40;

/** A service with a unix socket and a pid file, in a folder of its own. */
class Service {
  readonly folder: string;
  readonly path: string;
  readonly program: Program;

  constructor(t: Test, options: object = {}, before = '') {
    this.folder = scratch(t);
    this.path = join(this.folder, 'app.sock');
    this.program = start(t, this.release('first', before, options), { cwd: this.folder });
  }

  get address(): string {
    return `unix:${this.path}`;
  }

  /** Writes a release; the process that runs now is not touched. */
  release(name: string, before = '', options: object = {}): string {
    const all = JSON.stringify({ pidFile: 'app.pid', restartTimeout: 20_000, ...options });
    return writeRelease(this.folder, goodRelease(name, this.address, before, all));
  }

  get pid(): number {
    return Number(readFileSync(join(this.folder, 'app.pid'), 'utf8'));
  }

  get processes(): readonly number[] {
    return processesWith(join(this.folder, 'server.mjs')).filter(isRunning);
  }

  /** Asserts that one process serves, by its files, and that nothing else is left. */
  async servesAlone(t: Test, name: string, pid: number): Promise<void> {
    await waitUntil(
      'one process',
      () => this.processes.length === 1,
      () => this.program.report(),
    );
    t.equal(await getBody(this.address), name, `${name} answers at the socket file`);
    t.equal(this.pid, pid, 'the pid file names it');
    t.strictSame(readdirSync(this.folder).sort(), ['app.pid', 'app.sock', 'server.mjs']);
  }

  /** Ends the service, and asserts that it leaves no file. */
  async stop(t: Test, pid: number): Promise<void> {
    process.kill(pid, 'SIGTERM');
    await this.program.ended();
    t.strictSame(readdirSync(this.folder), ['server.mjs'], 'a stop leaves no file');
  }
}

/** For `before`: replaces a function of node:fs in all modules. */
const replaceFs = (name: string, replacement: string): string => `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const original = fs.${name};
  fs.${name} = ${replacement};
  syncBuiltinESMExports();
`;

/** For `before`: the line 'ready' is cut in half, so it never arrives. */
const HALF_A_LINE = replaceFs(
  'writeSync',
  `(fd, text, ...rest) => {
    if (!String(text).includes('"ready"')) return original(fd, text, ...rest);
    announce('ready to take over');
    return original(fd, text.slice(0, text.length / 2), ...rest);
  }`,
);

/** For `before`: does something when this process has written its pid file. */
const behindPidFile = (action: string): string =>
  replaceFs('renameSync', `(from, to) => { original(from, to); if (to.endsWith('app.pid')) { ${action} } }`);

/** For `before`: blocks the event loop, so that only SIGKILL ends the process. */
const BLOCKED = `
  announce('loaded');
  await new Promise((done) => process.stdout.write('', done));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
`;

t.test('a successor that is given up when it becomes ready takes nothing from the process that serves', async (t) => {
  const service = new Service(t, { restartTimeout: SHORT_MS });
  const { program } = service;
  await program.announced('ready');
  service.release('second', HALF_A_LINE);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready to take over');
  t.match(await program.announced('restart-failed'), { message: /not ready within/ });
  await service.servesAlone(t, 'first', program.pid);
  service.release('third');
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  await service.servesAlone(t, 'third', pid);
  await service.stop(t, pid);
});

t.test('a successor that is ready waits for a predecessor that is stopped or busy past restartTimeout', async (t) => {
  const busy = `process.on('SIGHUP', () => { const end = Date.now() + ${SHORT_MS * 2}; announce('busy'); while (Date.now() < end); });`;
  for (const how of ['stopped', 'busy'] as const) {
    const service = new Service(t, { restartTimeout: SHORT_MS }, busy);
    const { program } = service;
    await program.announced('ready');
    service.release('second', WAIT);
    process.kill(program.pid, 'SIGUSR2');
    const { pid: successor } = await program.announced('loaded');
    process.kill(program.pid, how === 'stopped' ? 'SIGSTOP' : 'SIGHUP');
    if (how === 'busy') await program.announced('busy');
    process.kill(successor, 'SIGHUP');
    const begin = performance.now();
    await waitUntil('the end of restartTimeout', () => performance.now() > begin + SHORT_MS);
    t.equal(service.pid, program.pid, `${how}: the pid file is not touched before the acknowledgement`);
    process.kill(program.pid, 'SIGCONT');
    const { pid } = await program.announced('ready', 2);
    t.same(program.all('restart-failed'), [], `${how}: what waits in the pipe is read before the successor is given up`);
    await service.servesAlone(t, 'second', pid);
    await service.stop(t, pid);
  }
});

t.test('a successor that waits for the acknowledgement stops as one that starts', async (t) => {
  const service = new Service(t);
  const { program } = service;
  await program.announced('ready');
  service.release('second', HALF_A_LINE);
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready to take over');
  process.kill(pid, 'SIGTERM');
  await program.announced('restart-failed');
  await service.servesAlone(t, 'first', program.pid);
});

t.test('a successor that waits for the acknowledgement takes over when its predecessor is killed', async (t) => {
  const service = new Service(t);
  const { program } = service;
  await program.announced('ready');
  service.release('second', HALF_A_LINE);
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready to take over');
  process.kill(program.pid, 'SIGKILL');
  await program.announced('ready', 2);
  await service.servesAlone(t, 'second', pid);
  await service.stop(t, pid);
});

t.test('a successor that dies behind its pid file costs nothing, and the pid file is put back', async (t) => {
  const service = new Service(t);
  const { program } = service;
  await program.announced('ready');
  service.release('second', behindPidFile(`process.kill(process.pid, 'SIGKILL');`));
  process.kill(program.pid, 'SIGUSR2');
  t.match(await program.announced('restart-failed'), { signal: 'SIGKILL' });
  await service.servesAlone(t, 'first', program.pid);
});

t.test('SIGHUP for the certificates does not end a successor that has just written its pid file', async (t) => {
  const folder = scratch(t);
  const { keyFile, certFile, cert } = await makeCertificate(folder);
  const program = start(t, writeRelease(folder, withCertificate('')), { cwd: folder });
  const [address] = (await program.announced('ready')).addresses as string[];
  writeRelease(folder, withCertificate(behindPidFile(`process.kill(process.pid, 'SIGHUP');`)));
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  t.match(await program.announced('reloaded'), { pid });
  t.equal(await getBody(address!, '/', cert), 'served');

  function withCertificate(before: string): string {
    const options = JSON.stringify({ tls: { key: keyFile, cert: certFile } });
    return goodRelease('', '', before, "{ pidFile: 'app.pid' }")
      .replace('import { App }', 'import { App, createServer }')
      .replace(/const server =[^]*/, `await serveOrAnnounce(app, createServer('127.0.0.1:0', (q, r) => r.end('served'), ${options}));`);
  }
});

t.test('after a failed restart the pid file and a deleted socket file are put back', async (t) => {
  const service = new Service(t);
  const { program } = service;
  await program.announced('ready');
  for (const attempt of [1, 2]) {
    for (const file of ['app.pid', 'app.sock']) unlinkSync(join(service.folder, file));
    service.release('broken', 'process.exit(7);');
    process.kill(program.pid, 'SIGUSR2');
    await program.announced('restart-failed', attempt);
    await waitUntil('the socket file', () => existsSync(service.path));
    await service.servesAlone(t, 'first', program.pid);
  }
  service.release('second');
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  await service.servesAlone(t, 'second', pid);
  await service.stop(t, pid);
});

t.test('a predecessor that is killed just after it started its successor', async (t) => {
  for (const delay of [0, 5, 10, 20, 35]) {
    const service = new Service(t);
    const { program } = service;
    await program.announced('ready');
    service.release('second');
    process.kill(program.pid, 'SIGUSR2');
    await waitUntil('the successor', () => children(program.pid).length > 0);
    await new Promise((done) => setTimeout(done, delay));
    process.kill(program.pid, 'SIGKILL');
    const { pid } = await program.announced('ready', 2);
    await service.servesAlone(t, 'second', pid);
    await service.stop(t, pid);
  }
});

t.test('a predecessor that died before its greeting: its successor carries on with the sockets at the said addresses', async (t) => {
  const folder = scratch(t);
  const gone = start(t, fixture('server'), { args: ['{"http":["127.0.0.1:0"]}'] });
  await gone.announced('ready');
  await gone.kill();
  const [tcp, unix] = [
    await listening(t, net.createServer(), { host: '127.0.0.1', port: 0 }),
    await listening(t, net.createServer(), { path: join(folder, 'a') }),
  ];
  const { port } = tcp.address() as net.AddressInfo;
  const handoff = (said: number): string => {
    const sockets = [
      { fd: 3, asked: '127.0.0.1:0', bound: { kind: 'tcp', host: '127.0.0.1', port: said }, backlog: 511, origin: 'bound' },
      { fd: 4, asked: `unix:${folder}/a`, bound: { kind: 'unix', path: `${folder}/a` }, backlog: 511, origin: 'bound' },
    ];
    return JSON.stringify({ version: 1, pid: gone.pid, generation: 2, pipe: 5, nonce: 'n', sockets });
  };
  for (const [said, generation] of [
    [port, 2],
    [port + 1, 1],
  ] as const) {
    const program = start(t, fixture('server'), {
      args: [JSON.stringify({ http: said === port ? ['127.0.0.1:0', `unix:${folder}/a`] : ['127.0.0.1:0'] })],
      env: { GRACE_HANDOFF: handoff(said) },
      passed: [descriptorOf(tcp), descriptorOf(unix), 'pipe'],
    });
    (program.process.stdio as unknown as readonly net.Socket[])[5]!.destroy();
    const { addresses, generation: found } = await program.announced('ready');
    t.equal(found, generation, said === port ? 'the addresses are right' : 'an address is wrong: the variable does not count');
    t.equal((addresses as string[])[0] === `127.0.0.1:${port}`, said === port);
    process.kill(program.pid, 'SIGTERM');
    await program.ended();
  }
});

t.test('a successor that hangs ends at restartTimeout when its predecessor is gone', async (t) => {
  const service = new Service(t, { restartTimeout: SHORT_MS });
  const { program } = service;
  await program.announced('ready');
  service.release('second', `announce('loaded'); await new Promise((done) => setTimeout(done, 60_000));`);
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('loaded');
  process.kill(program.pid, 'SIGKILL');
  await waitUntil('the end of the successor', () => !isAlive(pid));
  await program.ended();
  t.match(program.stderr, `not ready within ${SHORT_MS} ms, and the previous process is gone`);
});

t.test('a successor that is late without its predecessor but ready in time serves', async (t) => {
  const service = new Service(t, { restartTimeout: 10_000 });
  const { program } = service;
  await program.announced('ready');
  service.release('second', WAIT);
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('loaded');
  process.kill(program.pid, 'SIGKILL');
  process.kill(pid, 'SIGHUP');
  await program.announced('ready', 2);
  await service.servesAlone(t, 'second', pid);
});

t.test('a final stop while a successor hangs or is stopped resets no client', async (t) => {
  for (const how of ['hangs', 'stopped'] as const) {
    const service = new Service(t);
    const { program } = service;
    await program.announced('ready');
    service.release('second', how === 'hangs' ? BLOCKED : WAIT);
    process.kill(program.pid, 'SIGUSR2');
    const { pid } = await program.announced('loaded');
    if (how === 'stopped') process.kill(pid, 'SIGSTOP');
    process.kill(program.pid, 'SIGTERM');
    const failures: string[] = [];
    let answered = 0;
    while (failures.length === 0) {
      await get(targetOf(service.address)).then(
        () => (answered += 1),
        (error: NodeJS.ErrnoException) => failures.push(error.code ?? error.message),
      );
    }
    t.same(failures, ['ENOENT'], `${how}: clients are answered until the socket is gone`);
    t.ok(answered > 0, `${answered} answers while the service stopped`);
    await program.ended();
    t.notOk(isAlive(pid), 'the successor is gone');
    t.same(await program.exited, { code: 0, signal: null });
    t.strictSame(readdirSync(service.folder), ['server.mjs']);
  }
});

t.test('a final stop goes on accepting until the successor is gone, which holds the socket too', async (t) => {
  const folder = scratch(t);
  const lastWork = '{ onShutdown: () => new Promise((done) => setTimeout(done, 500)) }';
  const program = start(t, writeRelease(folder, goodRelease('first', '127.0.0.1:0', '', lastWork)));
  const [address] = (await program.announced('ready')).addresses as string[];
  writeRelease(folder, goodRelease('second', '127.0.0.1:0', BLOCKED));
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('loaded');
  process.kill(program.pid, 'SIGTERM');
  await program.announced('draining');
  const answers = new Set<string>();
  while (isAlive(pid)) answers.add(await getBody(address!).catch((error: NodeJS.ErrnoException) => error.code ?? error.message));
  answers.delete('ECONNREFUSED');
  t.strictSame([...answers], ['first'], 'no client is reset by the end of the successor');
  t.same(await program.exited, { code: 0, signal: null });
});

t.test('a final stop during a restart ends within drainTimeout', async (t) => {
  const service = new Service(t, { drainTimeout: 700 });
  const { program } = service;
  await program.announced('ready');
  service.release('second', BLOCKED);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('loaded');
  const begin = performance.now();
  process.kill(program.pid, 'SIGTERM');
  await program.exited;
  t.ok(performance.now() - begin < 1_900, 'before the SIGKILL that comes after 2 s');
});

/** A release with a server that is not HTTP. `first` runs first, `before` before it is ready. */
const graceRelease = (name: string, before = '', first = ''): string => `
  import net from 'node:net';
  import { Grace } from ${JSON.stringify(import.meta.resolve('ts-grace'))};
  import { announce, announceEvents } from ${JSON.stringify(new URL('../../fixtures/announce.js', import.meta.url).href)};
  ${first}
  const grace = new Grace({ follow: false });
  announceEvents(grace);
  const listener = await grace.listen('127.0.0.1:0');
  const server = net.createServer((socket) => socket.on('error', () => {}).end('${name}'));
  await listener.serve(server);
  announce('serving', { listening: server.listening });
  ${before}
  await grace.ready();
  announce('accepts', { listening: server.listening });
`;

t.test('a successor with the Grace class accepts nothing before it is ready', async (t) => {
  const folder = scratch(t);
  const program = start(t, writeRelease(folder, graceRelease('first')));
  const [address] = (await program.announced('ready')).addresses as string[];
  t.match(await program.announced('serving'), { listening: true }, 'without a predecessor it accepts in serve()');
  writeRelease(folder, graceRelease('second', `await new Promise((done) => process.once('SIGHUP', done)); process.exit(1);`));
  process.kill(program.pid, 'SIGUSR2');
  const { pid, listening: early } = await program.announced('serving', 2);
  t.equal(early, false);
  const answers = Array.from({ length: CLIENTS }, () => answerOf(portOf(address!)));
  t.same(new Set(await Promise.all(answers)), new Set(['first']));
  process.kill(pid, 'SIGHUP');
  await program.announced('restart-failed');
  writeRelease(folder, graceRelease('third'));
  process.kill(program.pid, 'SIGUSR2');
  t.match(await program.announced('accepts', 2), { listening: true });
  await program.exited;
  t.equal(await answerOf(portOf(address!)), 'third');
});

const root = skipUnless(() => process.getuid?.() === 0, 'only root can change the user');

t.test('a predecessor of another user is alive, although this process may not signal it', { skip: root }, async (t) => {
  const folder = scratch(t);
  const program = start(t, writeRelease(folder, graceRelease('first')));
  const [address] = (await program.announced('ready')).addresses as string[];
  writeRelease(folder, graceRelease('second', '', 'process.setuid(65_534);'));
  process.kill(program.pid, 'SIGUSR2');
  t.match(await program.announced('serving', 2), { listening: false }, 'so this process waits for it');
  t.match(await program.announced('accepts', 2), { listening: true });
  await program.exited;
  t.equal(await answerOf(portOf(address!)), 'second');
});

/** What a server sends before it closes the connection. */
async function answerOf(port: number): Promise<string> {
  let text = '';
  for await (const chunk of net.connect(port, '127.0.0.1').setEncoding('utf8')) text += chunk as string;
  return text;
}
