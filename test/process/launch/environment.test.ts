import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { getBody } from '../../support/http/client.js';
import { children } from '../../support/proc.js';
import { type Program, start } from '../../support/program.js';
import { goodRelease, writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';

const NAMES = ['COLOR', 'SIZE', 'FORM', 'PATH', 'GRACE_HANDOFF', 'NODE_OPTIONS'];
const TELL = `announce('environment', Object.fromEntries(${JSON.stringify(NAMES)}.map((name) => [name, process.env[name]])));`;

const release = (options: string, before = ''): string => goodRelease('same', '127.0.0.1:0', `${before} ${TELL}`, options);

async function restarted(program: Program, nth = 2): Promise<Readonly<Record<string, unknown>>> {
  process.kill(program.serving, 'SIGUSR2');
  await program.announced('ready', nth);
  return program.announced('environment', nth);
}

/** dotenv and --env-file never change a variable that is set. */
const DOTENV = `
  const { readFileSync } = await import('node:fs');
  for (const line of readFileSync(process.env.DOTENV, 'utf8').split('\\n')) process.env[line.split('=')[0]] ??= line.split('=')[1];
`;

for (const [what, nodeArgs, before] of [
  ['dotenv', [], DOTENV],
  ['--env-file', ['--env-file'], ''],
] as const) {
  t.test(`a changed .env has an effect after a restart: ${what}`, async (t) => {
    const folder = scratch(t);
    const path = join(folder, '.env');
    writeFileSync(path, 'COLOR=red\nSIZE=1');
    const args = nodeArgs.map((option) => `${option}=${path}`);
    const program = start(t, writeRelease(folder, release('{}', before)), { nodeArgs: args, env: { DOTENV: path, FORM: 'round' } });
    t.match(await program.announced('environment'), { COLOR: 'red', SIZE: '1', FORM: 'round' });
    await program.announced('ready');
    writeFileSync(path, 'COLOR=blue');
    const after = await restarted(program);
    t.match(after, { COLOR: 'blue', FORM: 'round' });
    t.notOk('SIZE' in after, 'a variable that is not in the file any more is gone');
    t.notOk('GRACE_HANDOFF' in after || 'NODE_OPTIONS' in after);
  });
}

t.test('what the program changes in process.env stays its own', async (t) => {
  const program = start(t, writeRelease(scratch(t), release('{}')), { env: { COLOR: 'red', NODE_OPTIONS: '--no-warnings' } });
  await program.announced('ready');
  const folder = scratch(t);
  const changing = start(t, writeRelease(folder, release('{}', `process.env.COLOR = 'blue'; delete process.env.PATH;`)), {
    env: { COLOR: 'red' },
  });
  await changing.announced('ready');
  writeRelease(folder, release('{}'));
  t.match(await restarted(changing), { COLOR: 'red', PATH: /./ });
  t.match(await restarted(program), { COLOR: 'red', NODE_OPTIONS: '--no-warnings' });
});

t.test('the option env and restart({ env }) add to it', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'color');
  writeFileSync(path, 'green');
  const options = `{ env: async () => ({ COLOR: (await import('node:fs')).readFileSync(${JSON.stringify(path)}, 'utf8'), SIZE: undefined, FORM: 'square' }) }`;
  const again = `if (app.generation === undefined || process.env.FORM !== 'oval') process.on('SIGHUP', async () => {
    await Promise.allSettled([
      app.restart({ env: { FORM: 'oval' } }),
      app.restart({ env: { FORM: 'flat' } }).catch(({ code, subject }) => announce('refused', { code, subject })),
    ]);
  });`;
  const program = start(t, writeRelease(folder, release(options, again)), { env: { COLOR: 'red', SIZE: '1' } });
  t.match(await program.announced('environment'), { COLOR: 'red', SIZE: '1' });
  await program.announced('ready');
  process.kill(program.pid, 'SIGHUP');
  const second = await program.announced('environment', 2);
  t.match(second, { COLOR: 'green', FORM: 'oval' });
  t.notOk('SIZE' in second, 'undefined removes a variable');
  t.match(await program.announced('refused'), { code: 'STATE_INVALID', subject: 'env' }, 'not while a restart runs');
  await program.announced('ready', 2);
  writeFileSync(path, 'yellow');
  t.match(await restarted(program, 3), { COLOR: 'yellow', FORM: 'square' }, 'the function is called at each restart');
});

t.test('a restart() that is refused for its timeout leaves no variable for the next restart', async (t) => {
  const refused = `process.on('SIGHUP', () => {
    app.restart({ env: { FORM: 'oval' }, timeout: -1 }).catch(({ code, subject }) => announce('refused', { code, subject }));
  });`;
  const program = start(t, writeRelease(scratch(t), release('{}', refused)));
  await program.announced('ready');
  process.kill(program.pid, 'SIGHUP');
  t.match(await program.announced('refused'), { code: 'OPTION_INVALID', subject: 'timeout' });
  t.notOk('FORM' in (await restarted(program)));
});

const BAD: Readonly<Record<string, string>> = {
  'a function that throws': `() => { throw new Error('no such secret'); }`,
  'a function that returns a number': '() => ({ COLOR: 5 })',
  'a variable that the kernel refuses (E2BIG)': `() => ({ COLOR: 'x'.repeat(200_000) })`,
};

for (const [what, env] of Object.entries(BAD)) {
  t.test(`env: ${what} fails the restart, and nothing else`, async (t) => {
    const program = start(t, writeRelease(scratch(t), release(`{ env: ${env} }`)));
    const [address] = (await program.announced('ready')).addresses as string[];
    process.kill(program.pid, 'SIGUSR2');
    t.match(await program.announced('restart-failed'), { message: /no such secret|env.COLOR|E2BIG/ });
    t.same(children(program.pid), []);
    t.equal(await getBody(address!), 'same');
  });
}

/** The child of fork() has a channel to its parent, by a variable that Node.js takes out of process.env only. */
async function forked(t: Test, server: string): Promise<{ message: unknown; code: unknown }> {
  const child = fork(server, { env: { PATH: process.env['PATH'] }, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [[message], [code]] = (await Promise.all([once(child, 'message'), once(child, 'exit')])) as [[unknown], [unknown]];
  return { message, code };
}

t.test('a program that was started by fork() restarts', async (t) => {
  const parent = `
    app.on('restart-failed', () => { process.send('failed'); void app.stop(); });
    app.on('restarted', ({ pid }) => { process.send('restarted'); process.kill(pid, 'SIGTERM'); });
    if (process.send) app.on('ready', () => void app.restart().catch(() => undefined));
  `;
  const server = writeRelease(scratch(t), goodRelease('forked', '127.0.0.1:0', `${parent}`).replace(/announceEvents\(app\);/, ''));
  t.same(await forked(t, server), { message: 'restarted', code: 0 });
});
