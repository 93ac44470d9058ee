import { once } from 'node:events';
import { symlinkSync, mkdirSync, renameSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { portOf } from '../support/address.js';
import { scratch } from '../support/certificate.js';
import { ask } from '../support/http.js';
import { children, descriptors, processesWith } from '../support/proc.js';
import { start } from '../support/program.js';
import { WAIT, goodRelease, writeRelease } from '../support/release.js';
import { isAlive, waitUntil } from '../support/wait.js';

const MANY_RESTARTS = 25;
const MANY_SIGNALS = 200;

t.test('a restart hands over, port 0 kept', async (t) => {
  const program = start(t, writeRelease(scratch(t), goodRelease('one', '127.0.0.1:0')));
  const before = await program.announced('ready');
  process.kill(program.pid, 'SIGUSR2');
  const after = await program.announced('ready', 2);
  t.same(after.addresses, before.addresses, 'the same port');
  t.equal(after.generation, 2);
  t.equal(after.predecessor, program.pid);
  t.same(await program.exited, { code: 0, signal: null }, 'the old process leaves by itself');
  t.equal(await ask((after.addresses as string[])[0]!), 'one');
});

const FAILURES = [
  { name: 'a syntax error', text: 'let x = = 1;', exitCode: 1, stderr: /SyntaxError/ },
  { name: 'a missing module', text: 'import "./not-there.mjs";', exitCode: 1, stderr: /ERR_MODULE_NOT_FOUND/ },
  { name: 'one that throws', text: 'throw new Error("no database");', exitCode: 1, stderr: /no database/ },
  { name: 'one that exits 7', text: 'console.error("seven it is"); process.exit(7);', exitCode: 7, stderr: /^seven it is$/ },
  { name: 'one that ends itself', text: 'process.kill(process.pid, "SIGKILL");', exitCode: null, signal: 'SIGKILL', stderr: /^$/ },
  {
    name: 'one that hangs',
    text: 'console.error("hanging"); setInterval(() => {}, 1000);',
    exitCode: null,
    signal: 'SIGTERM',
    message: /not ready within 700 ms/,
    stderr: /^hanging$/,
  },
  {
    name: 'one that hangs and takes no SIGTERM',
    text: 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);',
    exitCode: null,
    signal: 'SIGKILL',
    message: /not ready within 700 ms/,
    stderr: /^$/,
  },
];

t.test('a successor that does not get ready costs nothing', async (t) => {
  const folder = scratch(t);
  const good = goodRelease('first', '127.0.0.1:0', '', '{ restartTimeout: 700 }');
  const program = start(t, writeRelease(folder, good));
  const [address] = (await program.announced('ready')).addresses as string[];
  const fds = descriptors(program.pid);
  for (const [index, { name, text, exitCode, signal = null, stderr, message = /keeps serving/ }] of FAILURES.entries()) {
    writeRelease(folder, text);
    process.kill(program.pid, 'SIGUSR2');
    const failed = await program.announced('restart-failed', index + 1);
    t.match(failed, { code: 'RESTART_FAILED', exitCode, signal, stderr, message }, name);
    t.equal(await ask(address!), 'first', `the old process serves on after ${name}`);
  }
  t.same(children(program.pid), [], 'no child and no zombie is left');
  await waitUntil('the last answer to be over', () => descriptors(program.pid) <= fds);
  t.equal(descriptors(program.pid), fds, 'nor a descriptor');

  writeRelease(folder, goodRelease('second', '127.0.0.1:0'));
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  await program.exited;
  t.equal(await ask(address!), 'second', 'a good one takes over then');
});

t.test(`${MANY_RESTARTS} restarts leave nothing behind`, async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const program = start(t, writeRelease(folder, goodRelease('same', `unix:${path}`)));
  await program.announced('ready');
  const counts: number[] = [];
  for (let restart = 1; restart <= MANY_RESTARTS; restart += 1) {
    const old = program.serving;
    process.kill(old, 'SIGUSR2');
    await program.announced('ready', restart + 1);
    await waitUntil('the old process to leave', () => program.all('closed').length === restart && !isRunning(old));
    counts.push(descriptors(program.serving));
  }
  // The pipe from the old process is closed when the new one has noticed that its end is gone.
  await waitUntil('no more descriptors than ever', () => descriptors(program.serving) <= Math.min(...counts));
  t.equal(descriptors(program.serving), Math.min(...counts), 'as many descriptors after the last as after the first');
  t.same(children(program.serving), [], 'no zombie');
  t.equal(processesWith(join(folder, 'server.mjs')).length, 1, 'one process');
  t.equal(await ask(`unix:${path}`), 'same');
});

t.test(`${MANY_SIGNALS} SIGUSR2 in a second`, async (t) => {
  const folder = scratch(t);
  const program = start(t, writeRelease(folder, goodRelease('calm', '127.0.0.1:0')));
  const [address] = (await program.announced('ready')).addresses as string[];
  let most = 0;
  for (let signal = 0; signal < MANY_SIGNALS; signal += 1) {
    if (isAlive(program.pid)) process.kill(program.pid, 'SIGUSR2');
    if (signal % 5 === 0) most = Math.max(most, processesWith(join(folder, 'server.mjs')).length);
    await new Promise((done) => setTimeout(done, 1000 / MANY_SIGNALS));
  }
  await waitUntil('one process', () => processesWith(join(folder, 'server.mjs')).length === 1, () => program.report());
  t.ok(most <= 3, `${most} processes at most`);
  t.ok(program.all('ready').length <= 3, `${program.all('ready').length - 1} successors, two at most`);
  t.equal(await ask(address!), 'calm');
});

t.test('a restart that is asked for while one runs is made up for', async (t) => {
  const folder = scratch(t);
  const slow = 'await new Promise((done) => setTimeout(done, 400));';
  const program = start(t, writeRelease(folder, goodRelease('one', '127.0.0.1:0')));
  const [address] = (await program.announced('ready')).addresses as string[];
  writeRelease(folder, goodRelease('two', '127.0.0.1:0', `announce('loaded'); ${slow}`));
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('loaded');
  writeRelease(folder, goodRelease('three', '127.0.0.1:0'));
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 3);
  await waitUntil('one process', () => processesWith(join(folder, 'server.mjs')).length === 1);
  t.equal(await ask(address!), 'three', 'what was deployed last serves');
});

t.test('the deployment by symbolic link serves the new release', async (t) => {
  const folder = scratch(t);
  for (const release of ['1', '2']) {
    mkdirSync(join(folder, release));
    writeRelease(join(folder, release), goodRelease(`release ${release}`, '127.0.0.1:0'));
  }
  const current = join(folder, 'current');
  symlinkSync('1', current);
  const program = start(t, '', { shell: `cd ${current} && exec "$NODE" server.mjs` });
  const [address] = (await program.announced('ready')).addresses as string[];
  t.equal(await ask(address!), 'release 1');
  symlinkSync('2', join(folder, 'next'));
  renameSync(join(folder, 'next'), current);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  await program.exited;
  t.equal(await ask(address!), 'release 2');
});

t.test('a parent that dies while its successor starts leaves it to carry on alone', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const program = start(t, writeRelease(folder, goodRelease('first', `unix:${path}`)));
  await program.announced('ready');
  writeRelease(folder, goodRelease('second', `unix:${path}`, WAIT));
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('loaded');
  process.kill(program.pid, 'SIGKILL');
  await program.exited;
  process.kill(pid, 'SIGHUP');
  await program.announced('ready', 2);
  t.equal(await ask(`unix:${path}`), 'second');
  process.kill(pid, 'SIGTERM');
  await program.ended();
  await t.rejects(ask(`unix:${path}`), { code: 'ENOENT' }, 'and removes the socket file in the end');
});

t.test('SIGUSR2 before the server is ready, and while it drains, is logged and nothing else', async (t) => {
  const folder = scratch(t);
  const program = start(t, writeRelease(folder, goodRelease('slow', '127.0.0.1:0', WAIT)));
  await program.announced('loaded');
  process.kill(program.pid, 'SIGUSR2');
  await waitUntil('the warning', () => /SIGUSR2 ignored: this process is starting/.test(program.stderr));
  process.kill(program.pid, 'SIGHUP');
  const [address] = (await program.announced('ready')).addresses as string[];
  const silent = net.connect(portOf(address!), '127.0.0.1');
  await once(silent, 'connect');
  process.kill(program.pid, 'SIGTERM');
  await program.announced('draining');
  process.kill(program.pid, 'SIGUSR2');
  await waitUntil('the warning', () => /SIGUSR2 ignored: this process is draining/.test(program.stderr));
  silent.destroy();
  t.same(await program.exited, { code: 0, signal: null });
  t.equal(program.all('restarting').length, 0);
});

t.test('SIGTERM while a successor starts ends both', async (t) => {
  const folder = scratch(t);
  const program = start(t, writeRelease(folder, goodRelease('first', '127.0.0.1:0')));
  await program.announced('ready');
  writeRelease(folder, goodRelease('second', '127.0.0.1:0', WAIT));
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('loaded');
  process.kill(program.pid, 'SIGTERM');
  await program.ended();
  t.notOk(isAlive(pid), 'no successor is left');
  t.same(await program.exited, { code: 0, signal: null });
});

t.test('a server that a new version adds is bound, one that it drops is closed', async (t) => {
  const folder = scratch(t);
  const paths = ['a', 'b', 'c'].map((name) => `unix:${join(folder, name)}`);
  const version = (listen: string[]): string =>
    goodRelease('x', listen[0]!).replace(
      /await serveOrAnnounce.*/,
      `await serveOrAnnounce(app, ${listen
        .map((address) => `{ listen: ${JSON.stringify(address)}, server: http.createServer((q, r) => r.end(${JSON.stringify(address)})) }`)
        .join()});`,
    );
  const program = start(t, writeRelease(folder, version([paths[0]!, paths[1]!])));
  await program.announced('ready');
  writeRelease(folder, version([paths[2]!, paths[1]!]));
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  await program.exited;
  t.equal(await ask(paths[1]!), paths[1], 'kept');
  t.equal(await ask(paths[2]!), paths[2], 'added');
  await t.rejects(ask(paths[0]!), { code: 'ENOENT' }, 'dropped, and its file removed');
});

/** Whether a process runs, a zombie not counted. */
function isRunning(pid: number): boolean {
  return processesWith('server.mjs').includes(pid);
}
