import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { HANDOFF, PROCESS_STATE } from '../../../lib/launch/preload-contract.js';
import { optionsWithPreload } from '../../../lib/launch/preload.js';
import { scratch } from '../../support/scratch.js';
import { descriptorOf, listening } from '../../support/sockets.js';

/** A descriptor that nobody opens. */
const PROGRAM = 4_001;

const LOOK = `
  const { preload, program, variables } = globalThis[Symbol.for(${JSON.stringify(PROCESS_STATE)})] ?? {};
  const { ${HANDOFF}: left, NODE_OPTIONS: options } = process.env;
  console.log(JSON.stringify({ greeting: preload?.greeting, program, variable: variables?.${HANDOFF}, left, options }));
`;

/** env(1) sets the variables, as the test runner changes those that go to spawn(). */
function launch(variable: string, options: string | undefined, args: readonly string[], stdio: StdioOptions): ChildProcess {
  const variables = [`${HANDOFF}=${variable}`, `NODE_OPTIONS=${optionsWithPreload(options)}`];
  return spawn('env', [...variables, process.execPath, ...args], { stdio });
}

const handoff = (pipe: number): string => JSON.stringify({ pipe, nonce: 'n', program: PROGRAM });

interface Run {
  readonly variable: string;
  readonly third?: 'pipe' | number;
  readonly greeting?: string;
  readonly script?: string;
  readonly options?: string;
}

/** Runs a program with the preload; `written` is what came back on descriptor 3. */
async function run({
  variable,
  third = 'pipe',
  greeting,
  script = LOOK,
  options,
}: Run): Promise<{ seen: object; written: string; code: number; stderr: string }> {
  const child = launch(variable, options, ['-e', script], ['ignore', 'pipe', 'pipe', third]);
  const pipe = third === 'pipe' ? (child.stdio[3] as unknown as Duplex) : undefined;
  pipe?.on('error', () => undefined).write(greeting ?? '');
  const [[code], stdout, stderr, written] = await Promise.all([
    once(child, 'exit') as Promise<[number]>,
    text(child.stdout!),
    text(child.stderr!),
    pipe === undefined ? '' : text(pipe),
  ]);
  return { seen: stdout === '' ? {} : (JSON.parse(stdout) as object), written, code, stderr };
}

t.test('a successor gets the greeting, and its environment is clean', async (t) => {
  const greeting = '{"type":"hello","nonce":"n"}';
  const { seen, written } = await run({ variable: handoff(3), greeting: `${greeting}\n`, options: '--no-warnings' });
  t.same(seen, { greeting, program: { received: PROGRAM }, variable: handoff(3), options: '--no-warnings' });
  t.match(written, /^\{"type":"started","pid":\d+\}\n\{"type":"exit","code":0\}\n$/);
});

t.test('stderr and uncaught errors are copied', async (t) => {
  const script = 'process.stderr.write("one\\n"); throw new Error("two");';
  const { written, stderr, code } = await run({ variable: handoff(3), greeting: '{"nonce":"n"}\n', script });
  t.match(written, /"one\\n"[^]*Error: two[^]*"code":1/);
  t.match(stderr, /^one\n[^]*Error: two/);
  t.equal(code, 1);
});

const FOREIGN: readonly (Run & { readonly what: string })[] = [
  { what: 'a pipe with another nonce', variable: handoff(3), greeting: '{"type":"hello","nonce":"m"}\n' },
  { what: 'a pipe that speaks another protocol', variable: handoff(3), greeting: 'HTTP/1.1 200 OK\r\n\r\n' },
  { what: 'a variable that is no JSON', variable: '{' },
  { what: 'a variable without a pipe', variable: '{}' },
  { what: 'a descriptor that is not open', variable: handoff(4000) },
];

for (const { what, ...options } of FOREIGN) {
  t.test(`in a foreign program nothing is written: ${what}`, async (t) => {
    const { seen, written, code, stderr } = await run(options);
    t.same(seen, { variable: options.variable });
    t.same({ written, code, stderr }, { written: '', code: 0, stderr: '' });
  });
}

t.test('in a foreign program the descriptors of Node.js itself are not touched', async (t) => {
  for (let fd = 3; fd < 24; fd += 1) {
    const { code, stderr, seen } = await run({ variable: handoff(fd), third: 0 });
    t.same({ fd, code, stderr, seen }, { fd, code: 0, stderr: '', seen: { variable: handoff(fd) } });
  }
});

t.test('in a foreign program an open file is not touched', async (t) => {
  const path = join(scratch(t), 'data');
  writeFileSync(path, 'its own');
  const fd = openSync(path, 'r+');
  t.teardown(() => closeSync(fd));
  t.match(await run({ variable: handoff(3), third: fd }), { code: 0, stderr: '' });
  t.equal(readFileSync(path, 'utf8'), 'its own');
});

t.test('in a foreign program a listening socket is not touched', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const fd = descriptorOf(server);
  t.match(await run({ variable: handoff(3), third: fd }), { code: 0, stderr: '' });
});

t.test('in a foreign program the IPC channel is not touched', async (t) => {
  const path = join(scratch(t), 'child.cjs');
  writeFileSync(path, 'process.on("message", (message) => { process.send(message); process.disconnect(); });');
  for (let fd = 3; fd < 6; fd += 1) {
    const child = launch(handoff(fd), undefined, [path], ['ignore', 'inherit', 'inherit', 'ipc']);
    child.send({ nonce: 'n' });
    const [[message], [code]] = (await Promise.all([once(child, 'message'), once(child, 'exit')])) as [[unknown], [number]];
    t.same({ message, code }, { message: { nonce: 'n' }, code: 0 }, `descriptor ${fd}`);
  }
});
