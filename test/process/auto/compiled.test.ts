import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
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
  t.equal(kept(program.serving).length, 1, 'what came from the predecessor is closed');
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

/** What may be at the descriptor that the predecessor names. */
const CONTENTS: Readonly<Record<string, (file: string) => Promise<number>>> = {
  'another text': async (file) => (await open(file, 'r')).fd,
  'a folder': async (file) => (await open(join(file, '..'), 'r')).fd,
  nothing: async () => -1,
};

for (const [what, openContent] of Object.entries(CONTENTS)) {
  t.test(`where the predecessor names ${what}, the library is compiled`, async (t) => {
    const file = join(scratch(t), 'server.mjs');
    const port = await freePort();
    writeFileSync(file, server(port));
    const fd = await openContent(file);
    const names = `data:text/javascript,${STATE} = { program: { received: 3 } };`;
    const program = start(t, file, { nodeArgs: ['--import', names, ...AUTO], passed: fd === -1 ? [] : [fd] });
    t.match(await program.announced('ready'), { used: false, makes: true });
    t.equal((await get({ port })).body, String(program.pid));
  });
}
