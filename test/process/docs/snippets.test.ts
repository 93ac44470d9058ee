import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { get } from '../../support/http/client.js';
import { type Program, type ProgramOptions, start } from '../../support/program.js';
import { skipUnlessFound, skipUnlessRuns } from '../../support/skip.js';
import { descriptorOf, listening } from '../../support/sockets.js';
import { ROOT } from '../../support/sources.js';
import { waitUntil } from '../../support/wait.js';
import { type Project, SNIPPETS, makeProject, snippetsOf, takenPort } from './snippets.js';

/** A snippet that runs in a project of its own. */
interface Running {
  readonly t: Test;
  readonly project: Project;
  readonly program: Program;
}

const WEB = { port: 8080 };
const SECURE = (project: Project) => ({ port: 8443, ca: project.cert });

/** What each snippet has to do, as the page says. All of them run as they stand. */
const RUN: Readonly<Record<string, (running: Running) => Promise<void>>> = {
  'readme.md js 1': async ({ t, program }) => {
    const ask = async (): Promise<string> => (await get(WEB).catch(() => ({ body: '' }))).body;
    const answered = (pid: number) => async (): Promise<boolean> => (await ask()) === `hello from process ${pid}\n`;
    await waitUntil('an answer', answered(program.pid), () => program.report());
    process.kill(program.pid, 'SIGUSR2');
    await waitUntil(
      'an answer of the new version',
      async () => /\d/.test(await ask()) && !(await answered(program.pid)()),
      () => program.report(),
    );
    t.match(await ask(), /^hello from process \d+\n$/);
    await stops(t, program);
  },
  'docs/api.md js 1': async ({ t, project, program }) => {
    await serves(program, WEB);
    t.equal((await get(SECURE(project))).body, 'hello\n');
    t.equal((await get({ socketPath: '/tmp/admin.sock' })).body, 'hello\n');
    await prints(program, "[ '[::]:8080', '0.0.0.0:8443', 'unix:/tmp/admin.sock' ]");
    await stops(t, program);
  },
  'docs/api.md js 2': async ({ t, project, program }) => {
    await serves(program, WEB);
    t.equal(readFileSync(join(project.folder, 'app.pid'), 'utf8').trim(), String(program.pid));
    writeFileSync(join(project.folder, 'server.js'), 'throw new Error("no database");');
    process.kill(program.pid, 'SIGUSR2');
    await program.logged(/restart failed.*exited with code 1[^]*no database/);
    await stops(t, program);
    await prints(program, 'closing the database');
  },
  'docs/api.md js 5': async ({ t, program }) => {
    await waitUntil(
      'an answer',
      () =>
        says(7000).then(
          (said) => said === 'hello\n',
          () => false,
        ),
      () => program.report(),
    );
    await stops(t, program);
  },
  'docs/api.md js 3': async ({ t, project, program }) => {
    await serves(program, SECURE(project));
    await stops(t, program);
    await prints(program, 'drained');
  },
  'docs/api.md js 4': async ({ t, program }) => {
    await serves(program, WEB);
    t.equal((await get({ port: 9090 }, '/readyz')).status, 200);
    await prints(program, '2000');
    process.kill(program.pid, 'SIGTERM');
    await waitUntil('the drain delay', async () => (await get({ port: 9090 }, '/readyz')).status === 503);
    t.equal((await get(WEB)).body, 'hello\n', 'still served, so that load balancers notice');
    t.match(await program.exited, { code: 0 });
  },
  'docs/containers.md js 1': async ({ t, program }) => {
    await serves(program, WEB);
    await unreadyWhenStopped(t, program);
  },
  'docs/health.md js 1': async ({ t, program }) => {
    await serves(program, WEB);
    t.match(JSON.parse((await get({ port: 9000 }, '/readyz')).body), { ready: true, checks: { files: { ok: true } } });
    await unreadyWhenStopped(t, program);
  },
  'docs/logs.md js 1': async ({ t, program }) => {
    await serves(program, WEB);
    await stops(t, program);
    t.match(program.output, /"message":"draining no request, up to 30 s/);
    t.notMatch(program.stderr, /draining/);
  },
  'docs/limits.md js 1': async ({ t, program }) => {
    await serves(program, WEB);
    await prints(program, '500');
    await stops(t, program);
  },
  'docs/limits.md js 2': standAlone,
  'docs/releases.md js 1': standAlone,
  'docs/releases.md js 2': standAlone,
  'docs/releases.md js 3': standAlone,
  'docs/connections.md js 1': async ({ t, program }) => {
    await serves(program, WEB);
    const socket = new WebSocket('ws://127.0.0.1:8080');
    await once(socket, 'open');
    socket.send('echo');
    const [data] = (await once(socket, 'message')) as [Buffer];
    t.equal(data.toString(), 'echo');
    const closed = once(socket, 'close') as Promise<[number]>;
    await stops(t, program);
    t.equal((await closed)[0], 1012);
  },
  'docs/connections.md js 2': async ({ t, program }) => {
    let response: http.IncomingMessage | undefined;
    await waitUntil(
      'an event stream',
      async () => {
        response = await stream().catch(() => undefined);
        return response !== undefined;
      },
      () => program.report(),
    );
    const whole = text(response!);
    await stops(t, program);
    t.match(await whole, /^data: begin\n\n/, 'it ended, and was not cut off');
  },
  'docs/development.md js 1': standAlone,
  'docs/development.md js 2': async ({ t, program }) => {
    t.match(await program.exited, { code: 0 });
    t.match(program.output, /says hello/);
  },
  'docs/errors.md js 1': async ({ t, program }) => {
    await serves(program, WEB);
    const second = start(t, program.process.spawnargs.at(-1)!);
    t.match(await second.exited, { code: 1 });
    t.match(second.stderr, /^:8080 is taken$/m);
    await stops(t, program);
  },
  'docs/starter.md js 1': standAlone,
  'docs/starter.md js 3': async ({ t, program }) => {
    await serves(program, WEB);
    await stops(t, program);
  },
  'docs/systemd.md js 1': standAlone,
};

/** Snippets that run in tests below, each in its own way. */
const RUN_BELOW = [
  'docs/starter.md js 2',
  'docs/starter.md python 1',
  'docs/starter.md console 1',
  'docs/starter.md console 2',
  'docs/starter.md text 1',
];

/** Snippets that are no program: the test that runs what they are about, or why there is none. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'readme.md sh 1': 'test/process/package.test.ts',
  'readme.md sh 2': 'readme.md js 1 above does the same',
  'docs/demo.md sh 1': 'test/process/demo.test.ts',
  'docs/demo.md text 1': 'test/process/demo.test.ts',
  'docs/demo.md sh 2': 'test/process/demo.test.ts',
  'docs/demo.md sh 3': 'test/process/demo.test.ts',
  'docs/architecture.md text 1': 'a drawing',
  'docs/architecture.md text 2': 'a drawing',
  'docs/architecture.md text 3': 'a drawing',
  'docs/benchmarks.md sh 1': 'runs all benchmarks',
  'docs/connections.md text 1': 'a drawing',
  'docs/connections.md text 2': 'test/process/move/chat.test.ts',
  'docs/connections.md text 3': 'test/process/move/kept.test.ts',
  'docs/containers.md dockerfile 1': 'needs Docker',
  'docs/containers.md yaml 1': 'needs Kubernetes',
  'docs/logs.md text 1': 'test/docs/logs.test.ts',
  'docs/releases.md text 1': 'a drawing',
  'docs/releases.md text 2': 'a drawing',
  'docs/health.md text 1': 'test/slow/haproxy.test.ts',
  'docs/starter.md dockerfile 1': 'needs Docker',
  'docs/starter.md console 3': 'test/slow/starter/failed-deploy.test.ts',
  'docs/starter.md console 4': 'test/slow/starter/upgrade.test.ts',
  'docs/starter.md ini 1': 'test/slow/starter/supervised.test.ts',
  'docs/systemd.md ini 1': 'test/process/systemd/demo.test.ts',
  'docs/systemd.md console 1': 'test/process/systemd/reload.test.ts',
  'docs/systemd.md console 2': 'test/process/systemd/reload.test.ts',
  'docs/systemd.md ini 2': 'test/process/systemd/reload.test.ts',
  'docs/systemd.md sh 1': 'test/process/systemd/reload.test.ts',
};

/** Waits until a server answers as the snippets do. */
async function serves(program: Program, target: Parameters<typeof get>[0]): Promise<void> {
  const answers = (): Promise<boolean> =>
    get(target).then(
      ({ body }) => body === 'hello\n',
      () => false,
    );
  await waitUntil(`an answer of port ${target.port}`, answers, () => program.report());
}

async function prints(program: Program, line: string): Promise<void> {
  await waitUntil(
    `the line ${line}`,
    () => program.output.split('\n').includes(line),
    () => program.output + program.report(),
  );
}

/** SIGTERM ends all processes, with exit code 0. */
async function stops(t: Test, program: Program): Promise<void> {
  process.kill(program.pid, 'SIGTERM');
  t.match(await program.exited, { code: 0 }, 'exit code 0');
  await program.ended();
}

/** The drain delay of these snippets is long, so their processes are killed after the test. */
async function unreadyWhenStopped(t: Test, program: Program): Promise<void> {
  t.equal((await get({ port: 9000 }, '/readyz')).status, 200);
  process.kill(program.pid, 'SIGTERM');
  await waitUntil('503', async () => (await get({ port: 9000 }, '/readyz')).status === 503);
  t.equal((await get(WEB)).body, 'hello\n', 'still served, so that load balancers notice');
}

async function standAlone({ t, program }: Running): Promise<void> {
  await serves(program, WEB);
  await stops(t, program);
}

async function says(port: number): Promise<string> {
  return text(net.connect(port, '::1'));
}

async function stream(): Promise<http.IncomingMessage> {
  const [response] = (await once(http.get({ port: 8080, host: '127.0.0.1' }), 'response')) as [http.IncomingMessage];
  return response;
}

/** `server.js` with the text of a snippet, started. */
async function run(t: Test, snippet: string, options: ProgramOptions = {}): Promise<Running> {
  const project = await makeProject(t);
  const path = project.write(snippet);
  return { t, project, program: start(t, path, { cwd: project.folder, ...options }) };
}

t.test('every snippet of the readme and docs/ is run, or says what it needs', async (t) => {
  const known = [...Object.keys(RUN), ...RUN_BELOW, ...Object.keys(NOT_RUN)];
  t.strictSame([...SNIPPETS.keys()].sort(), known.sort());
  for (const reason of Object.values(NOT_RUN)) {
    if (reason.startsWith('test/')) t.ok(existsSync(join(ROOT, reason)), reason);
  }
  const programs = [...SNIPPETS.keys()].filter((name) => / (js|ts|mjs|python) /.test(name));
  t.strictSame(
    programs.filter((name) => name in NOT_RUN),
    [],
    'no program is left out',
  );
});

for (const [snippet, check] of Object.entries(RUN)) {
  t.test(snippet, { skip: await skipIfTaken(snippet) }, async (t) => {
    if (snippet !== 'docs/starter.md js 3') return check(await run(t, snippet));
    const project = await makeProject(t);
    const path = join(project.folder, 'starter.js');
    writeFileSync(path, SNIPPETS.get(snippet)!);
    project.write('docs/starter.md js 1');
    return check({ t, project, program: start(t, path, { cwd: project.folder }) });
  });
}

async function skipIfTaken(snippet: string): Promise<string | false> {
  return process.env['CI'] === undefined ? takenPort(snippet) : false;
}

const skipCommands = skipUnlessFound('flock') || (await skipIfTaken('docs/starter.md js 1'));
t.test('docs/starter.md: the commands print what the page shows', { skip: skipCommands }, async (t) => {
  const project = await makeProject(t);
  project.write('docs/starter.md js 1');
  const [first, restart] = ['docs/starter.md console 1', 'docs/starter.md console 2'].map((name) => readConsole(SNIPPETS.get(name)!));
  const starter = start(t, 'unused', { cwd: project.folder, shell: first!.command });
  await waitUntil(
    'the first messages',
    () => shapeOf(starter.stderr).includes(shapeOf(first!.output)),
    () => starter.report(),
  );
  await serves(starter, WEB);
  const restarted = start(t, 'unused', { cwd: project.folder, shell: restart!.command });
  t.match(await restarted.exited, { code: 0 });
  await restarted.ended();
  t.match(shapeOf(`${restarted.output}${restarted.stderr}`), shapeOf(restart!.output));
  const lines = SNIPPETS.get('docs/starter.md text 1')!.trim().split('\n');
  await waitUntil(
    'all lines of the page',
    () => lines.every((line) => shapeOf(starter.stderr).includes(shapeOf(line))),
    () => starter.report(),
  );
  process.kill(Number(readFileSync(join(project.folder, 'pid'), 'utf8')), 'SIGTERM');
  await starter.ended();
});

/** The command of a block behind its `$`, and what it prints. */
function readConsole(block: string): { readonly command: string; readonly output: string } {
  const [command = '', ...output] = block.split('\n');
  return { command: command.replace(/^\$ /, ''), output: output.join('\n').trim() };
}

/** Text without its numbers: pids and times differ each time. */
function shapeOf(output: string): string {
  return output.replace(/\d+(\.\d+)?/g, 'N');
}

t.test('docs/starter.md js 2: a server without ts-grace', async (t) => {
  const held = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { port } = held.address() as net.AddressInfo;
  const env = { SERVER_STARTER_PORT: '127.0.0.1:8080=3' };
  const { program } = await run(t, 'docs/starter.md js 2', { env, passed: [descriptorOf(held)] });
  // Otherwise this process takes connections too.
  await waitUntil('the program', () => program.process.pid !== undefined);
  held.close();
  await serves(program, { port });
  await stops(t, program);
});

t.test('docs/starter.md python 1', { skip: skipUnlessRuns('python3', '--version') }, async (t) => {
  const held = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const project = await makeProject(t);
  const path = join(project.folder, 'server.py');
  writeFileSync(path, `${SNIPPETS.get('docs/starter.md python 1')}print(listener.getsockname()[1])\n`);
  const env = { SERVER_STARTER_PORT: '127.0.0.1:8080=3' };
  const program = start(t, path, { env, passed: [descriptorOf(held)], shell: 'exec python3 "$PROGRAM"' });
  await prints(program, String((held.address() as net.AddressInfo).port));
});

t.test('the blocks of a page are found', async (t) => {
  const page = 'a\n```js\none\n```\nb\n```\ntwo\n\nthree\n```\n```js\nfour\n```\n';
  t.strictSame(snippetsOf('p.md', page), [
    { name: 'p.md js 1', text: 'one\n' },
    { name: 'p.md text 1', text: 'two\n\nthree\n' },
    { name: 'p.md js 2', text: 'four\n' },
  ]);
});
