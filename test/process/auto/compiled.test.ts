import { closeSync, openSync, readFileSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import t, { type Test } from 'tap';
import { PROCESS_STATE } from '../../../lib/launch/preload-contract.js';
import { restart } from '../../support/auto/start-auto.js';
import { type Program, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { freePort } from '../../support/sockets.js';
import { ROOT } from '../../support/sources.js';
import { waitUntil } from '../../support/wait.js';
import { get } from '../../support/http/client.js';

const AUTO = ['--import', 'ts-grace/auto'];
const STATE = `globalThis[Symbol.for(${JSON.stringify(PROCESS_STATE)})]`;

/** Says whether V8 could use what the predecessor has made, as soon as it listens. */
const server = (port: number): string => `
  import http from 'node:http';
  const { program } = ${STATE} ?? {};
  const [used, makes] = [program?.used !== undefined, program?.make !== undefined];
  const say = (event, facts) => process.stdout.write(JSON.stringify({ event, pid: process.pid, ...facts }) + '\\n');
  process.on('exit', () => say('exit'));
  http.createServer((request, response) => response.end(String(process.pid)))
    .listen(${port}, '127.0.0.1', () => say('ready', { used, makes }));
`;

async function startServer(
  t: Test,
  nodeArgs: readonly string[],
  change = (file: string): string => file,
): Promise<{ readonly program: Program; readonly port: number }> {
  const file = join(scratch(t), 'server.mjs');
  const port = await freePort();
  writeFileSync(file, server(port));
  const program = start(t, change(file), { nodeArgs, env: { GRACE_FOLLOW: 'false', GRACE_PROBATION: '0' } });
  await program.announced('ready');
  return { program, port };
}

/** The descriptors of the file that a process has made for its successor. */
function kept(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return /\/ts-grace-[-\w]+ \(deleted\)$/.test(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      return false;
    }
  });
}

async function hasKept(pid: number): Promise<void> {
  await waitUntil('the file for the successor', () => kept(pid).length === 1);
}

/** Whether each process has used what the one before it had made. */
function used(program: Program): unknown[] {
  return program.all('ready').map(({ used }) => used);
}

t.test('a successor uses what V8 has made of the library in its predecessor', async (t) => {
  const { program, port } = await startServer(t, AUTO);
  for (let generation = 1; generation <= 4; generation += 1) {
    await hasKept(program.serving);
    t.equal((await get({ port })).body, String(program.serving));
    if (generation < 4) await restart(program);
  }
  t.strictSame(used(program), [false, true, true, true]);
  const left = kept(program.serving);
  t.equal(left.length, 1, 'what came from the predecessor is closed');
  t.equal(statSync(`/proc/${program.serving}/fd/${left[0]}`).mode & 0o777, 0o600);
});

t.test('a restart before it is made works without it', async (t) => {
  const { program, port } = await startServer(t, AUTO);
  await restart(program);
  t.equal((await get({ port })).body, String(program.serving));
});

for (const [what, nodeArgs] of [
  ['--enable-source-maps', ['--enable-source-maps', ...AUTO]],
  ['--no-addons', ['--no-addons', ...AUTO]],
] as const) {
  t.test(`with ${what} it is compiled in each process`, async (t) => {
    const { program, port } = await startServer(t, nodeArgs);
    await restart(program);
    t.match(program.all('ready'), [
      { used: false, makes: false },
      { used: false, makes: false },
    ]);
    t.equal((await get({ port })).body, String(program.serving));
  });
}

t.test('a program that a bundler has put together with it', async (t) => {
  const bundle = (file: string): string => {
    const outfile = file.replace('server.mjs', 'bundle.mjs');
    const contents = `import 'ts-grace/auto';\nawait import(${JSON.stringify(file)});\n`;
    buildSync({ stdin: { contents, resolveDir: ROOT }, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
    return outfile;
  };
  const { program, port } = await startServer(t, [], bundle);
  await restart(program);
  t.equal((await get({ port })).body, String(program.serving));
});

/** A program whose predecessor has left this at descriptor 3. Undefined: the descriptor is not open. */
async function startWith(t: Test, content: number | undefined): Promise<boolean> {
  const file = join(scratch(t), 'server.mjs');
  const port = await freePort();
  writeFileSync(file, server(port));
  const leaves = `data:text/javascript,${STATE} = { program: { received: 3 } };`;
  const program = start(t, file, { nodeArgs: ['--import', leaves, ...AUTO], passed: content === undefined ? [] : [content] });
  const ready = await program.announced('ready');
  t.equal((await get({ port })).body, String(program.pid));
  return ready['used'] === true;
}

t.test('what the predecessor has left is used only with exactly the same text', async (t) => {
  const { program } = await startServer(t, AUTO);
  await hasKept(program.pid);
  const content = readFileSync(`/proc/${program.pid}/fd/${kept(program.pid)[0]}`);
  const path = join(scratch(t), 'content');
  const startWithFile = async (bytes: Buffer): Promise<boolean> => {
    writeFileSync(path, bytes);
    const fd = openSync(path, 'r');
    try {
      return await startWith(t, fd);
    } finally {
      closeSync(fd);
    }
  };
  t.equal(await startWithFile(content), true);
  const changed = Buffer.from(content);
  changed[changed.indexOf('this process drains')] = 'T'.charCodeAt(0);
  t.equal(await startWithFile(changed), false, 'V8 itself compares only the length');
  t.equal(await startWithFile(content.subarray(0, content.length / 2)), false, 'half of it');
  t.equal(await startWithFile(Buffer.alloc(0)), false, 'nothing');
});

t.test('a folder, and nothing at all, at the place of what the predecessor has left', async (t) => {
  const folder = openSync(scratch(t), 'r');
  t.teardown(() => closeSync(folder));
  t.equal(await startWith(t, folder), false);
  t.equal(await startWith(t, undefined), false);
});
