import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type ProcessState, processState } from '../../../lib/inherit/process-state.js';

/** Compiled, this file is dist/test/lib/inherit/process-state.test.js. */
const DIST = new URL('../../../', import.meta.url);

t.test('a second copy of the library has the same state', async (t) => {
  const url = new URL('lib/inherit/process-state.js?copy', DIST).href;
  const copy = (await import(url)) as { readonly processState: ProcessState };
  t.equal(copy.processState, processState);
});

t.test('what the preload left is kept', async (t) => {
  const preload = { greeting: 'hello', stop: () => undefined };
  const program = `
    const { processState } = await import('${new URL('lib/inherit/process-state.js', DIST).href}');
    console.log(JSON.stringify(processState));
  `;
  const left = `globalThis[Symbol.for('ts-grace.process')] = { preload: ${JSON.stringify(preload)}, variables: { A: 'a' } };`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', left + program], { encoding: 'utf8' });
  t.strictSame(JSON.parse(output), { preload: { greeting: 'hello' }, variables: { A: 'a' }, refused: false, copies: 0 });
});

t.test('the variable that one bundle took is known in the other', async (t) => {
  const [lib, starter] = ['lib/index.js', 'starter/index.js'].map((path) => new URL(path, DIST).href);
  const program = `
    await import('${lib}');
    const { serverPorts } = await import('${starter}');
    console.log(JSON.stringify({ ports: serverPorts(), left: process.env.SERVER_STARTER_PORT }));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: fileURLToPath(DIST),
    env: { ...process.env, SERVER_STARTER_PORT: '127.0.0.1:80=7' },
  });
  t.strictSame(JSON.parse(output), { ports: { '127.0.0.1:80': 7 } });
});
