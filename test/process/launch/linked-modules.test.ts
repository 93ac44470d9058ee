import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));
const WS = dirname(fileURLToPath(import.meta.resolve('ws')));
const ANNOUNCE = new URL('../../fixtures/announce.js', import.meta.url).href;

const PROGRAM = `
import { App, createServer } from 'ts-grace/gracehttp';
import { WebSocketServer } from 'ws';
import { announce, announceEvents, serveOrAnnounce } from ${JSON.stringify(ANNOUNCE)};
const server = createServer('127.0.0.1:0', (request, response) => response.end('hello'));
new WebSocketServer({ server });
const app = new App({ follow: false });
announceEvents(app);
await serveOrAnnounce(app, server);
const { WebSocketServer: again } = await import('ws');
announce('imported', { type: typeof again });
`;

for (const moveConnections of [true, false]) {
  t.test(`a release whose node_modules is a symbolic link restarts, with moveConnections: ${moveConnections}`, async (t) => {
    const folder = scratch(t);
    const [store, release] = [join(folder, 'store'), join(folder, 'release')];
    for (const made of [store, release]) mkdirSync(made);
    symlinkSync(REPOSITORY, join(store, 'ts-grace'));
    symlinkSync(WS, join(store, 'ws'));
    symlinkSync(store, join(release, 'node_modules'));
    const file = join(release, 'server.mjs');
    writeFileSync(file, PROGRAM.replace('follow: false', `follow: false, moveConnections: ${moveConnections}`));
    const program = start(t, file, { cwd: release, env: { PWD: release } });
    await program.announced('ready');
    for (const nth of [1, 2]) {
      process.kill(program.serving, 'SIGUSR2');
      t.match(await program.announced('imported', nth), { type: 'function' });
      await program.announced('ready', nth + 1);
    }
    process.kill(program.serving, 'SIGTERM');
    await program.ended();
    t.strictSame(program.all('restart-failed'), []);
  });
}
