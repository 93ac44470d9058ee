import t from 'tap';
import { getBody } from '../../support/http/client.js';
import { children, descriptors } from '../../support/proc.js';
import { start } from '../../support/program.js';
import { goodRelease, writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

/** The list of these is longer than 128 KiB, the most that one variable can have. */
const MANY_SOCKETS = 1_000;

t.test(`${MANY_SOCKETS} sockets are handed over (E2BIG)`, async (t) => {
  const folder = scratch(t);
  const server = `{ server: http.createServer((request, response) => response.end('one of many')), listen: '127.0.0.1:0' }`;
  const release = goodRelease('web', '127.0.0.1:0').replace(
    /await serveOrAnnounce.*/,
    `
    await serveOrAnnounce(app, ...Array.from({ length: ${MANY_SOCKETS} }, () => (${server})));
  `,
  );
  const program = start(t, writeRelease(folder, release));
  const before = (await program.announced('ready')).addresses as string[];
  t.equal(before.length, MANY_SOCKETS);
  process.kill(program.pid, 'SIGUSR2');
  const { addresses, generation } = await program.announced('ready', 2);
  t.equal(generation, 2, program.stderr);
  t.same(addresses, before);
  t.match(await program.exited, { code: 0 });
  for (const address of [before[0]!, before.at(-1)!]) t.equal(await getBody(address), 'one of many');
});

const UNFIT = {
  'a BigInt': '() => 1n',
  'an object that contains itself': '() => { const loop = {}; loop.loop = loop; return loop; }',
  'a value whose function throws': '() => { throw new Error("no value"); }',
};

for (const [what, value] of Object.entries(UNFIT)) {
  t.test(`a carried value that is ${what} fails the restart and leaves no child`, async (t) => {
    const folder = scratch(t);
    const program = start(t, writeRelease(folder, goodRelease('first', '127.0.0.1:0', `app.carried.leave('unfit', ${value});`)));
    const [address] = (await program.announced('ready')).addresses as string[];
    const fds = descriptors(program.pid);
    for (let nth = 1; nth <= 3; nth += 1) {
      process.kill(program.pid, 'SIGUSR2');
      t.match(await program.announced('restart-failed', nth), { code: 'RESTART_FAILED', message: /BigInt|circular|no value/ });
    }
    t.same(children(program.pid), []);
    await waitUntil('as many descriptors as before', () => descriptors(program.pid) <= fds);
    t.equal(await getBody(address!), 'first');
  });
}
