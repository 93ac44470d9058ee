import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { listenAtPath } from '../../../../gracehttp/auto/listen/at-path.js';
import { scratch } from '../../../support/scratch.js';
import { waitUntil } from '../../../support/wait.js';

t.test('a unix socket is bound under a draft name and renamed', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const server = net.createServer();
  t.teardown(() => server.close());
  let drafts: (string | undefined)[] = [];
  let file: unknown;
  listenAtPath(
    server,
    path,
    (draft) => {
      drafts.push(draft);
      server.listen({ path: draft ?? path, readableAll: true, writableAll: true });
    },
    (found) => (file = found),
  );
  t.ok(server.listening);
  t.equal(drafts.length, 1);
  t.not(drafts[0], path);
  t.strictSame(readdirSync(folder), ['app.sock']);
  const { dev, ino } = statSync(path);
  t.match(file, { dev, ino });
  server.close();
  await waitUntil('the end', () => !server.listening);
  t.ok(existsSync(path), 'libuv removes only what it has bound');
  drafts = [];
});

t.test('where that is not possible, Node.js says why', async (t) => {
  const folder = scratch(t);
  const taken = join(folder, 'file');
  writeFileSync(taken, '');
  mkdirSync(join(folder, 'inner'));
  for (const path of [taken, join(folder, 'inner'), join(folder, 'no/app.sock')]) {
    listenAtPath(
      net.createServer(),
      path,
      (draft) => t.equal(draft, undefined, `${path}: Node.js gets its own path`),
      () => t.fail('it does not listen'),
    );
  }
});
