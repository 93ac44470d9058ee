import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type DraftSocket, bindSocketFile, removeSocketFile } from '../../../lib/socket/socket-file.js';
import { type ExpectedError, fails } from '../../support/errors.js';
import { recordReports } from '../../support/reports.js';
import { scratch } from '../../support/scratch.js';
import { connected, listening } from '../../support/sockets.js';

const NOBODY = 65_534;

const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

const refused = (code: ExpectedError['code'], path: string): ExpectedError => ({ code, subject: 'address', value: `unix:${path}` });
const bind = (path: string, mode?: number): Promise<DraftSocket> => bindSocketFile({ kind: 'unix', path }, mode);

/** Binds, listens and places, as GraceListener does. */
async function serveAt(t: Test, path: string, mode?: number): Promise<{ server: net.Server; file: { dev: string; ino: string } }> {
  const draft = await bind(path, mode);
  const server = net.createServer();
  server.listen(draft.bound.target, 5);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { server, file: draft.place() };
}

/** Leaves a socket file that no process listens on, because its process was killed. */
function leaveStale(path: string): void {
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program]);
}

function accepts(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect(path, () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}

t.test('binds under a draft name and moves to the path', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const draft = await bind(path);
  t.notOk(existsSync(path), 'not before it listens');
  t.strictSame(draft.bound.address, { kind: 'unix', path });
  t.equal(readdirSync(folder).length, 1);
  const server = net.createServer().listen(draft.bound.target, 5);
  await once(server, 'listening');
  const { dev, ino } = draft.place();
  t.strictSame(readdirSync(folder), ['app.sock']);
  const stat = lstatSync(path, { bigint: true });
  t.strictSame({ dev, ino }, { dev: String(stat.dev), ino: String(stat.ino) });
  t.ok(await accepts(path));
  server.close();
  await once(server, 'close');
  t.ok(existsSync(path), 'closing the server leaves the file, which a successor may use');
});

t.test('a relative path', async (t) => {
  const folder = scratch(t);
  const before = process.cwd();
  process.chdir(folder);
  t.teardown(() => process.chdir(before));
  const draft = await bind('app.sock');
  t.teardown(() => draft.discard());
  t.strictSame(draft.bound.address, { kind: 'unix', path: join(process.cwd(), 'app.sock') });
});

t.test('discard leaves no file', async (t) => {
  const folder = scratch(t);
  (await bind(join(folder, 'app.sock'))).discard();
  t.strictSame(readdirSync(folder), []);
});

t.test('a stale socket is replaced, without a moment in which there is no file', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  leaveStale(path);
  t.ok(lstatSync(path).isSocket(), 'the file exists');
  t.notOk(await accepts(path), 'and no process listens');
  const stale = lstatSync(path).ino;
  const draft = await bind(path);
  t.equal(lstatSync(path).ino, stale, 'still the stale one');
  const server = net.createServer().listen(draft.bound.target, 5);
  t.teardown(() => server.close());
  await once(server, 'listening');
  draft.place();
  t.ok(await accepts(path), 'replaced');
  t.strictSame(readdirSync(folder), ['app.sock']);
});

t.test('a socket that another process serves is not touched', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const other = await listening(t, net.createServer(), { path });
  await fails(t, () => bind(path), refused('ADDRESS_IN_USE', path), 'refused');
  t.strictSame(readdirSync(folder), ['app.sock']);
  await connected(t, other);
});

t.test('a file that is not a socket is not touched', async (t) => {
  const folder = scratch(t);
  const file = join(folder, 'file');
  writeFileSync(file, 'precious');
  await fails(t, () => bind(file), refused('NOT_A_SOCKET', file), 'a file');
  t.equal(readFileSync(file, 'utf8'), 'precious');
  const directory = join(folder, 'directory');
  mkdirSync(directory);
  await fails(t, () => bind(directory), refused('NOT_A_SOCKET', directory), 'a folder');
  const link = join(folder, 'link');
  symlinkSync(file, link);
  await fails(t, () => bind(link), refused('NOT_A_SOCKET', link), 'a symbolic link');
  t.equal(readFileSync(link, 'utf8'), 'precious');
  t.strictSame(readdirSync(folder).sort(), ['directory', 'file', 'link']);
});

t.test('a path that is too long for the kernel', async (t) => {
  const folder = scratch(t);
  const room = MAX_PATH_BYTES - Buffer.byteLength(folder) - 1;
  const long = join(folder, 'x'.repeat(room + 1));
  const { message } = await fails(t, () => bind(long), refused('ADDRESS_INVALID', long), 'one byte too long');
  t.match(message, `${MAX_PATH_BYTES} bytes`);
  const wide = join(folder, 'ä'.repeat(Math.ceil((room + 1) / 2)));
  await fails(t, () => bind(wide), refused('ADDRESS_INVALID', wide), 'bytes, not characters');
  const longest = join(folder, 'x'.repeat(room));
  await serveAt(t, longest);
  t.ok(await accepts(longest), 'the longest');
});

t.test('a folder that does not exist, or is a file', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'file'), '');
  const missing = join(folder, 'missing', 'app.sock');
  const { message } = await fails(t, () => bind(missing), refused('ADDRESS_INVALID', missing), 'missing');
  t.match(message, /the folder .*missing does not exist/);
  const below = join(folder, 'file', 'app.sock');
  await fails(t, () => bind(below), refused('ADDRESS_INVALID', below), 'below a file');
});

t.test('a folder in which no socket can be made', { skip: existsSync('/proc/self') ? false : 'no /proc' }, async (t) => {
  await fails(t, () => bind('/proc/x.sock'), refused('ADDRESS_FORBIDDEN', '/proc/x.sock'), 'not even by root');
});

t.test('a folder that this user is not allowed to write', async (t) => {
  const outer = scratch(t);
  const folder = join(outer, 'closed');
  mkdirSync(folder, { mode: 0o555 });
  t.teardown(() => chmodSync(folder, 0o700));
  if (process.getuid?.() === 0) {
    // Root may write anywhere.
    chmodSync(outer, 0o755);
    process.seteuid?.(NOBODY);
    t.teardown(() => process.seteuid?.(0));
  }
  const path = join(folder, 'app.sock');
  await fails(t, () => bind(path), refused('ADDRESS_FORBIDDEN', path), 'refused');
});

t.test('mode', async (t) => {
  const folder = scratch(t);
  for (const mode of [0o600, 0o660, 0o666]) {
    const path = join(folder, mode.toString(8));
    await serveAt(t, path, mode);
    t.equal(statSync(path).mode & 0o777, mode, mode.toString(8));
  }
  const draft = await bind(join(folder, 'draft'), 0o600);
  t.teardown(() => draft.discard());
  const name = readdirSync(folder).find((file) => file.startsWith('.'))!;
  t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, 'before it listens, so before anybody can connect');
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  await serveAt(t, join(folder, 'umask'));
  t.equal(statSync(join(folder, 'umask')).mode & 0o777, 0o700, 'as the umask has it');
});

t.test('two starters do not replace each other', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  for (const [state, code] of [
    ['nothing there', 'ADDRESS_IN_USE'],
    ['a stale socket there', 'ADDRESS_IN_USE'],
  ] as const) {
    if (state !== 'nothing there') leaveStale(path);
    const drafts = [await bind(path), await bind(path)];
    const servers = drafts.map(({ bound }) => net.createServer().listen(bound.target, 5));
    t.teardown(() => servers.forEach((server) => server.close()));
    const { ino } = drafts[0]!.place();
    await fails(t, () => drafts[1]!.place(), refused(code, path), state);
    t.equal(lstatSync(path, { bigint: true }).ino, BigInt(ino), 'the first one stays');
    t.ok(await accepts(path));
    t.strictSame(readdirSync(folder), ['app.sock'], 'no draft is left');
    renameSync(path, join(scratch(t), 'elsewhere'));
  }
});

t.test('a file that was made at the path meanwhile is not touched', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const draft = await bind(path);
  t.teardown(() => draft.bound.close());
  mkdirSync(path);
  await fails(t, () => draft.place(), refused('NOT_A_SOCKET', path), 'a folder');
  t.strictSame(readdirSync(folder), ['app.sock'], 'no draft is left');
});

t.test('a file is removed by its owner only', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const first = await serveAt(t, path);
  renameSync(path, join(folder, 'elsewhere'));
  const second = await serveAt(t, path);
  t.not(first.file.ino, second.file.ino);
  t.notOk(removeSocketFile(path, first.file), 'it belongs to another socket now');
  t.ok(await accepts(path));
  t.notOk(removeSocketFile(path, { ...second.file, dev: `${second.file.dev}0` }), 'another device');
  t.ok(removeSocketFile(path, second.file));
  t.notOk(existsSync(path));
  t.notOk(removeSocketFile(path, second.file), 'it is removed already');
});

t.test('a file that cannot be removed is a warning', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'file'), '');
  const reports = recordReports(t);
  t.notOk(removeSocketFile(join(folder, 'file', 'app.sock'), { dev: '1', ino: '1' }));
  t.match(reports, [/^warning: cannot remove the socket file .*ENOTDIR/]);
});
