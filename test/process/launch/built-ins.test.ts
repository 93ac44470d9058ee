import t from 'tap';
import { start } from '../../support/program.js';
import { goodRelease, writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';

/** Says which built-in modules are loaded when this process serves. */
const LOADED = `
  app.on('ready', () => announce('loaded', { modules: process.moduleLoadList.map((name) => name.split(' ').at(-1)) }));
`;

t.test('a successor loads neither node:cluster nor child_process before it serves', async (t) => {
  const program = start(t, writeRelease(scratch(t), goodRelease('a', '127.0.0.1:0', LOADED)));
  const { modules: first } = await program.announced('loaded');
  t.ok((first as string[]).includes('cluster'), 'listen() of a new address does');
  process.kill(program.pid, 'SIGUSR2');
  const { modules } = await program.announced('loaded', 2);
  for (const name of ['cluster', 'child_process', 'dgram', 'module']) {
    t.notOk((modules as string[]).includes(name), name);
  }
});
