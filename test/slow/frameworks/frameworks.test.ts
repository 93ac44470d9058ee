import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import net from 'node:net';
import t, { type Test } from 'tap';
import { type Program, start } from '../../support/program.js';
import { skipUnless } from '../../support/skip.js';
import { ROOT } from '../../support/sources.js';
import { waitUntil } from '../../support/wait.js';
import { type Client, FrameworkLoad, PORT, grpcClients, httpClients, socketIoClients, webSocketClients } from './clients.js';
import { installFrameworks } from './install.js';

t.setTimeout(600_000);

const RESTARTS = 5;
/** Answers that each generation gives at least. */
const ANSWERS = 40;
const MAX_LINES = 10;
/** `import 'reflect-metadata'` of NestJS and its empty module are not about ts-grace. */
const CEREMONY = /^(import 'reflect-metadata';|class AppModule \{\}|Module\(.*|import .*@nestjs.*)$/;

const folder = installFrameworks();
const skip = skipUnless(() => folder !== undefined, 'the frameworks cannot be installed here (npm ci)');

/** Clients that speak what a section is about; HTTP for all others. */
const CLIENTS: Readonly<Record<string, (folder: string) => Client[]>> = {
  'Apollo Server 5': () => httpClients({ method: 'POST', headers: { 'Content-Type': 'application/json' } }, '{ "query": "{ hello }" }'),
  tRPC: () => httpClients({ path: '/hello' }),
  '`ws`': webSocketClients,
  'Socket.IO': socketIoClients,
  gRPC: grpcClients,
};

interface Snippet {
  readonly title: string;
  readonly way: 'by auto' | 'by code';
  readonly text: string;
}

/** The programs of the page; a block that begins with a file name is a file beside them. */
function readPage(): { readonly snippets: readonly Snippet[]; readonly files: readonly (readonly [string, string])[] } {
  const page = readFileSync(join(ROOT, 'docs/frameworks.md'), 'utf8');
  const snippets: Snippet[] = [];
  const files: (readonly [string, string])[] = [];
  for (const section of page.split(/^## /m).slice(1)) {
    const title = section.slice(0, section.indexOf('\n'));
    for (const [, text = ''] of section.matchAll(/^```js\n([^]*?)^```$/gm)) {
      const file = /^\/\/ (\S+\.js)\n/.exec(text)?.[1];
      if (file === undefined) snippets.push({ title, way: text.includes('ts-grace') ? 'by code' : 'by auto', text });
      else files.push([file, text]);
    }
  }
  return { snippets, files };
}

const { snippets, files } = readPage();

t.test('the page has a program by auto and by code for each framework, of few lines', async (t) => {
  for (const title of new Set(snippets.map((snippet) => snippet.title))) {
    const ways = snippets.filter((snippet) => snippet.title === title).map(({ way }) => way);
    t.strictSame(ways, title.includes('shutdown hooks') ? ['by auto'] : ['by auto', 'by code'], title);
  }
  for (const { title, way, text } of snippets) {
    const lines = text.split('\n').filter((line) => line !== '' && !CEREMONY.test(line));
    t.ok(lines.length <= MAX_LINES, `${title} ${way}: ${lines.length} lines`);
  }
});

/** `FRAMEWORK=gRPC` runs only those whose name has this text. */
const { FRAMEWORK = '' } = process.env;

for (const { title, way, text } of snippets.filter((snippet) => snippet.title.includes(FRAMEWORK))) {
  t.test(`${title} ${way}: ${RESTARTS} restarts and a stop lose nothing`, { skip }, async (t) => {
    // Not a link to the packages: one that is loaded by two paths is loaded twice.
    const project = mkdtempSync(join(folder!, 'program-'));
    t.teardown(() => rmSync(project, { recursive: true }));
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    for (const [name, content] of [['server.js', text], ...files] as const) writeFileSync(join(project, name), content);
    const nodeArgs = way === 'by auto' ? ['--import', 'ts-grace/auto'] : [];
    const program = start(t, join(project, 'server.js'), { cwd: project, nodeArgs });
    await survives(t, program, (CLIENTS[title] ?? (() => httpClients()))(folder!));
  });
}

/** Restarts and stops a program that listens on {@link PORT}, under load. */
async function survives(t: Test, program: Program, clients: readonly Client[]): Promise<void> {
  await waitUntil('the program', isOpen, () => program.report());
  const load = new FrameworkLoad(clients);
  const answers = async (): Promise<void> => {
    const enough = load.answered + ANSWERS;
    await waitUntil(
      'answers',
      () => load.answered >= enough || load.lost.length > 0,
      () => program.report(),
    );
  };
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    await answers();
    program.process.kill('SIGUSR2');
    await waitUntil(
      `restart ${restart}`,
      () => program.stderr.split('restarted: process').length > restart,
      () => program.report(),
    );
  }
  await answers();
  load.stopping = true;
  program.process.kill('SIGTERM');
  t.match(await program.exited, { code: 0, signal: null }, 'exit code 0');
  await load.ended();
  t.strictSame(load.lost, [], `nothing is lost of ${load.answered} answers`);
  t.ok(load.resetByClose <= 1, `${load.resetByClose} connections came when the last socket was closed`);
  t.notMatch(program.stderr, /warning|cut off/, 'no warning');
  await program.ended();
}

function isOpen(): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect(PORT, '127.0.0.1', () => done(true));
    socket.on('connect', () => socket.destroy()).on('error', () => done(false));
  });
}
