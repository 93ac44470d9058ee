import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { start } from '../../support/program.js';
import { skipUnless } from '../../support/skip.js';
import { type Client, grpcClients, httpClients, socketIoClients, webSocketClients } from './clients.js';
import { installPackages } from './install.js';
import { isBuilt, isChosen, readPage } from './page.js';
import { RESTARTS, survives } from './survives.js';

t.setTimeout(600_000);

const MAX_LINES = 10;
/** `import 'reflect-metadata'` of NestJS and its empty module are not about ts-grace. */
const CEREMONY = /^(import 'reflect-metadata';|class AppModule \{\}|Module\(.*|import .*@nestjs.*)$/;
/** Sections with one program. */
const ONE_WAY = /shutdown hooks|`next start`|standalone/;

const folder = installPackages('frameworks');
const skip = skipUnless(() => folder !== undefined, 'the frameworks cannot be installed here');

/** Clients that speak what a section is about; HTTP for all others. */
const CLIENTS: Readonly<Record<string, (folder: string) => Client[]>> = {
  'Apollo Server 5': () => httpClients({ method: 'POST', headers: { 'Content-Type': 'application/json' } }, '{ "query": "{ hello }" }'),
  tRPC: () => httpClients({ path: '/hello' }),
  '`ws`': webSocketClients,
  'Socket.IO': socketIoClients,
  'Socket.IO, polling': (inside) => socketIoClients(inside, 'polling'),
  gRPC: grpcClients,
};

const { snippets, files } = readPage();

t.test('the page has a program by auto and by code for each framework, of few lines', async (t) => {
  for (const title of new Set(snippets.map((snippet) => snippet.title))) {
    const ways = snippets.filter((snippet) => snippet.title === title).map(({ way }) => way);
    t.strictSame(ways, ONE_WAY.test(title) ? ['by auto'] : ['by auto', 'by code'], title);
  }
  for (const { title, way, text } of snippets) {
    const lines = text.split('\n').filter((line) => line !== '' && !CEREMONY.test(line));
    t.ok(lines.length <= MAX_LINES, `${title} ${way}: ${lines.length} lines`);
  }
});

const WEBSOCKET_ONLY = "{ transports: ['websocket'] }";
const POLLING = 'Socket.IO, polling';
/** What the page says about clients of Socket.IO that cannot use WebSocket. */
const polling = snippets
  .filter(({ text }) => text.includes(WEBSOCKET_ONLY))
  .map((snippet) => ({ ...snippet, title: POLLING, text: snippet.text.replace(WEBSOCKET_ONLY, '{}') }));

for (const { title, way, text } of [...snippets, ...polling].filter((snippet) => !isBuilt(snippet) && isChosen(snippet))) {
  t.test(`${title} ${way}: ${RESTARTS} restarts and a stop lose nothing`, { skip }, async (t) => {
    // Not a link to the packages: one that is loaded by two paths is loaded twice.
    const project = mkdtempSync(join(folder!, 'program-'));
    t.teardown(() => rmSync(project, { recursive: true }));
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    for (const [name, content] of [['server.js', text], ...files] as const) writeFileSync(join(project, name), content);
    const nodeArgs = way === 'by auto' ? ['--import', 'ts-grace/auto'] : [];
    const program = start(t, join(project, 'server.js'), { cwd: project, nodeArgs });
    const clients = (CLIENTS[title] ?? (() => httpClients()))(folder!);
    // Nobody answers the polls of sessions that ended, as the program is not told that it drains.
    if (title === POLLING && way === 'by auto') await survives(t, program, clients, /warning/);
    else await survives(t, program, clients);
  });
}
