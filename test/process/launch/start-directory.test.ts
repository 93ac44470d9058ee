import { chmodSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { getBody } from '../../support/http/client.js';
import { type Program, start } from '../../support/program.js';
import { goodRelease, writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';
import { skipUnless, skipUnlessRuns } from '../../support/skip.js';

/** The program serves, a restart fails with an error that names the directory, and works when the directory is back. */
async function namesDirectory(t: Test, program: Program, directory: string, repair?: () => void): Promise<void> {
  const [address] = (await program.announced('ready')).addresses as string[];
  process.kill(program.serving, 'SIGUSR2');
  const { code, message } = await program.announced('restart-failed');
  t.match({ code, message }, { code: 'RESTART_FAILED', message: JSON.stringify(directory) });
  t.equal(await getBody(address!), 'same', 'it serves on');
  if (repair === undefined) return;
  repair();
  process.kill(program.serving, 'SIGUSR2');
  t.match(await program.announced('ready', 2), { generation: 2 });
}

function prepared(t: Test): { folder: string; server: string; directory: string } {
  const folder = scratch(t);
  const directory = join(folder, 'start');
  mkdirSync(directory);
  return { folder, directory, server: writeRelease(folder, goodRelease('same', '127.0.0.1:0')) };
}

t.test('a start directory that was deleted before the start', async (t) => {
  const { server, directory } = prepared(t);
  const program = start(t, '', { shell: `cd ${directory} && rmdir ${directory} && exec "$NODE" ${server}` });
  await namesDirectory(t, program, directory, () => mkdirSync(directory));
});

t.test('a start directory that is deleted later', async (t) => {
  const { server, directory } = prepared(t);
  const program = start(t, '', { shell: `cd ${directory} && exec "$NODE" ${server}` });
  await program.announced('ready');
  rmdirSync(directory);
  await namesDirectory(t, program, directory, () => mkdirSync(directory));
});

for (const pwd of ['', 'relative', '/not/there', '/proc/self/mem/x', `/${'x'.repeat(5_000)}`]) {
  t.test(`an odd $PWD does not matter: ${pwd.slice(0, 20)}`, async (t) => {
    const { server, directory } = prepared(t);
    const program = start(t, server, { cwd: directory, env: { PWD: pwd } });
    await program.announced('ready');
    process.kill(program.pid, 'SIGUSR2');
    t.match(await program.announced('ready', 2), { generation: 2 });
  });
}

const NOBODY = 65_534;
const skip =
  skipUnless(() => process.getuid?.() === 0, 'only root can start a program as another user') || skipUnlessRuns('setpriv', '--version');

t.test('a start directory that this user may not enter', { skip }, async (t) => {
  const { server, folder, directory } = prepared(t);
  chmodSync(folder, 0o755);
  const shell = `cd ${directory} && chmod 700 ${directory} && exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups "$NODE" ${server}`;
  await namesDirectory(t, start(t, '', { shell }), directory, () => chmodSync(directory, 0o755));
});
