import { once } from 'node:events';
import { symlinkSync, mkdirSync, renameSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { portOf } from '../../support/address.js';
import { getBody } from '../../support/http/client.js';
import { children, descriptors, isAlive, processesWith } from '../../support/proc.js';
import { start } from '../../support/program.js';
import { WAIT, goodRelease, writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

const MANY_RESTARTS = 25;
const MANY_SIGNALS = 200;

t.test('a restart hands over and keeps the port that port 0 brought', async (t) => {
  const program = start(t, writeRelease(scratch(t), goodRelease('one', '127.0.0.1:0')));
  const before = await program.announced('ready');
  process.kill(program.pid, 'SIGUSR2');
  const after = await program.announced('ready', 2);
  t.same(after.addresses, before.addresses, 'the same port');
  t.equal(after.generation, 2);
  t.equal(after.predecessor, program.pid);
  t.same(await program.exited, { code: 0, signal: null }, 'the old process leaves by itself');
  t.equal(await getBody((after.addresses as string[])[0]!), 'one');
});

const FAILURES = [
  { name: 'a syntax error', text: 'let x = = 1;', exitCode: 1, stderr: /SyntaxError/ },
  { name: 'a missing module', text: 'import "./not-there.mjs";', exitCode: 1, stderr: /ERR_MODULE_NOT_FOUND/ },
  { name: 'a program that throws', text: 'throw new Error("no database");', exitCode: 1, stderr: /no database/ },
  { name: 'a program that exits with code 7', text: 'console.error("leaving"); process.exit(7);', exitCode: 7, stderr: /^leaving$/ },
  { name: 'a program that kills itself', text: 'process.kill(process.pid, "SIGKILL");', exitCode: null, signal: 'SIGKILL', stderr: /^$/ },
  {
    name: 'a program that hangs',
    text: 'console.error("hanging"); setInterval(() => {}, 1000);',
    exitCode: null,
    signal: 'SIGTERM',
    message: /not ready within 700 ms/,
    stderr: /^hanging$/,
  },
  {
    name: 'a program that hangs and ignores SIGTERM',
    text: 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);',
    exitCode: null,
    signal: 'SIGKILL',
    message: /not ready within 700 ms/,
    stderr: /^$/,
  },
];

t.test('a successor that fails before it is ready costs nothing', async (t) => {
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
    t.equal(await getBody(address!), 'first', `the old process serves on after ${name}`);
  }
  t.same(children(program.pid), [], 'neither a child nor a zombie is left');
  await waitUntil('the end of the last answer', () => descriptors(program.pid) <= fds);
  t.equal(descriptors(program.pid), fds, 'no descriptor is left open');

  writeRelease(folder, goodRelease('second', '127.0.0.1:0'));
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  await program.exited;
  t.equal(await getBody(address!), 'second', 'the next release that works takes over');
});

const EVENTS = ['ready', 'restarting', 'restarted', 'restart-failed', 'draining', 'closed'];
const BAD_LISTENERS = {
  'that throw': '() => { throw new Error(`listener of ${event}`); }',
  'whose promise rejects': 'async () => { throw new Error(`listener of ${event}`); }',
};

for (const [what, listener] of Object.entries(BAD_LISTENERS)) {
  t.test(`listeners ${what} are reported and change nothing`, async (t) => {
    const folder = scratch(t);
    const listeners = `for (const event of ${JSON.stringify(EVENTS)}) app.prependListener(event, ${listener});`;
    const good = goodRelease('same', '127.0.0.1:0', listeners);
    const program = start(t, writeRelease(folder, good));
    const [address] = (await program.announced('ready')).addresses as string[];
    writeRelease(folder, 'process.exit(3);');
    process.kill(program.pid, 'SIGUSR2');
    await program.announced('restart-failed');
    t.equal(await getBody(address!), 'same', 'after a failed restart the old process serves');

    writeRelease(folder, good);
    process.kill(program.pid, 'SIGUSR2');
    const second = await program.announced('ready', 2);
    t.same(await program.exited, { code: 0, signal: null }, 'the old process drains and leaves');
    t.equal(processesWith(join(folder, 'server.mjs')).length, 1, 'one process serves');
    t.equal(await getBody(address!), 'same');
    process.kill(second.pid, 'SIGTERM');
    await program.ended();
    t.match(
      program.all('closed').map(({ code }) => code),
      [0, 0],
    );
    for (const event of EVENTS) t.match(program.stderr, new RegExp(`a listener of '${event}' failed: Error: listener of ${event}\\n +at `));
  });
}

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
  // The new process closes the pipe from the old one when it notices that the other end is closed.
  await waitUntil('the smallest count of descriptors', () => descriptors(program.serving) <= Math.min(...counts));
  t.equal(descriptors(program.serving), Math.min(...counts), 'as many descriptors after the last as after the first');
  t.same(children(program.serving), [], 'no zombie');
  t.equal(processesWith(join(folder, 'server.mjs')).length, 1, 'one process');
  t.equal(await getBody(`unix:${path}`), 'same');
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
  await waitUntil(
    'one process',
    () => processesWith(join(folder, 'server.mjs')).length === 1,
    () => program.report(),
  );
  t.ok(most >= 2 && most <= 3, `${most} processes at the same time, two or three`);
  const successors = program.all('ready').length - 1;
  t.ok(successors >= 1 && successors <= 2, `${successors} successors, one or two`);
  t.equal(await getBody(address!), 'calm');
});

t.test('a request for a restart during a restart queues one more', async (t) => {
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
  t.equal(await getBody(address!), 'three', 'the release that was deployed last serves');
});

t.test('a deployment that swaps a symbolic link starts the new release', async (t) => {
  const folder = scratch(t);
  for (const release of ['1', '2']) {
    mkdirSync(join(folder, release));
    writeRelease(join(folder, release), goodRelease(`release ${release}`, '127.0.0.1:0'));
  }
  const current = join(folder, 'current');
  symlinkSync('1', current);
  const program = start(t, '', { shell: `cd ${current} && exec "$NODE" server.mjs` });
  const [address] = (await program.announced('ready')).addresses as string[];
  t.equal(await getBody(address!), 'release 1');
  symlinkSync('2', join(folder, 'next'));
  renameSync(join(folder, 'next'), current);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  await program.exited;
  t.equal(await getBody(address!), 'release 2');
});

t.test('a successor goes on if its predecessor dies while it starts', async (t) => {
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
  t.equal(await getBody(`unix:${path}`), 'second');
  process.kill(pid, 'SIGTERM');
  await program.ended();
  await t.rejects(getBody(`unix:${path}`), { code: 'ENOENT' }, 'it removes the socket file when it ends');
});

t.test('SIGUSR2 before the server is ready or while it drains is only logged', async (t) => {
  const folder = scratch(t);
  const program = start(t, writeRelease(folder, goodRelease('slow', '127.0.0.1:0', WAIT)));
  await program.announced('loaded');
  process.kill(program.pid, 'SIGUSR2');
  await program.logged(/SIGUSR2 ignored: this process is starting/);
  process.kill(program.pid, 'SIGHUP');
  const [address] = (await program.announced('ready')).addresses as string[];
  const silent = net.connect(portOf(address!), '127.0.0.1');
  await once(silent, 'connect');
  process.kill(program.pid, 'SIGTERM');
  await program.announced('draining');
  process.kill(program.pid, 'SIGUSR2');
  await program.logged(/SIGUSR2 ignored: this process is draining/);
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
  t.notOk(isAlive(pid), 'the successor has ended too');
  t.same(await program.exited, { code: 0, signal: null });
});

t.test('a restart binds the address that a new version adds and closes the one that it drops', async (t) => {
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
  t.equal(await getBody(paths[1]!), paths[1], 'kept');
  t.equal(await getBody(paths[2]!), paths[2], 'added');
  await t.rejects(getBody(paths[0]!), { code: 'ENOENT' }, 'dropped, its file removed');
});
