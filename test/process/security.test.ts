import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { getuid } from 'node:process';
import { join } from 'node:path';
import t from 'tap';
import { portOf } from '../support/address.js';
import { getBody } from '../support/http/client.js';
import { type Program, fixture, start } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { skipUnless } from '../support/skip.js';
import { ROOT } from '../support/sources.js';
import { waitUntil } from '../support/wait.js';

/** `nobody`, on every Linux system. */
const ANOTHER_USER = 65_534;
const skip = skipUnless(() => getuid?.() === 0, 'only root can be another user');

/** Runs a program text as another user. Its `attempt(name, call)` notes the code of the error, or `done`. */
function asAnotherUser(text: string): Record<string, string> {
  const program = `
    import fs from 'node:fs';
    import net from 'node:net';
    process.setgroups([]); process.setgid(${ANOTHER_USER}); process.setuid(${ANOTHER_USER});
    const results = {};
    const attempt = (name, call) => { try { call(); results[name] = 'done'; } catch ({ code }) { results[name] = code; } };
    ${text}
    console.log(JSON.stringify(results));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, string>;
}

async function restarted(program: Program): Promise<number> {
  await program.announced('ready');
  process.kill(program.pid, 'SIGUSR2');
  return (await program.announced('ready', 2)).pid;
}

t.test('another user cannot signal the service, nor read its environment or its descriptors', { skip }, async (t) => {
  const program = start(t, fixture('server'), { args: ['{"http":["127.0.0.1:0"]}'] });
  const pid = await restarted(program);
  const results = asAnotherUser(`
    for (const signal of ['SIGUSR2', 'SIGTERM', 'SIGHUP', 'SIGKILL']) attempt(signal, () => process.kill(${pid}, signal));
    attempt('environ', () => fs.readFileSync('/proc/${pid}/environ'));
    attempt('descriptors', () => fs.readdirSync('/proc/${pid}/fd'));
    attempt('descriptor', () => fs.openSync('/proc/${pid}/fd/3', 'r+'));`);
  t.strictSame(results, {
    SIGUSR2: 'EPERM',
    SIGTERM: 'EPERM',
    SIGHUP: 'EPERM',
    SIGKILL: 'EPERM',
    environ: 'EACCES',
    descriptors: 'EACCES',
    descriptor: 'EACCES',
  });
  const { addresses } = await program.announced('ready', 2);
  t.ok(await getBody(`localhost:${portOf((addresses as string[])[0]!)}`), 'it serves on');
});

t.test('a socket with mode 0600 refuses another user, also after a restart', { skip }, async (t) => {
  const folder = scratch(t);
  chmodSync(folder, 0o755);
  const path = join(folder, 'app.sock');
  const text = `
    import http from 'node:http';
    import { App } from 'ts-grace/gracehttp';
    const app = new App({ follow: false });
    app.on('closed', () => console.log(JSON.stringify({ event: 'closed', pid: process.pid })));
    await app.serve({ handler: (request, response) => response.end(), listen: ${JSON.stringify(`unix:${path}`)}, mode: 0o600 });
    console.log(JSON.stringify({ event: 'ready', pid: process.pid }));`;
  const program = start(t, 'unused', {
    nodeArgs: [],
    cwd: ROOT,
    env: { TEXT: text },
    shell: 'exec "$NODE" --input-type=module --eval "$TEXT"',
  });
  const connect = (): Record<string, string> =>
    asAnotherUser(
      `results.connect = await new Promise((done) => net.connect(${JSON.stringify(path)}, () => done('done')).on('error', ({ code }) => done(code)));`,
    );
  await program.announced('ready');
  t.strictSame(connect(), { connect: 'EACCES' });
  await restarted(program);
  await program.announced('closed');
  t.strictSame(connect(), { connect: 'EACCES' });
});

t.test('the environment of a successor has only what docs/protocol.md says', async (t) => {
  const program = start(t, fixture('server'), { args: ['{"http":["127.0.0.1:0"]}'], env: { SECRET: 'of the program' } });
  const pid = await restarted(program);
  const environment = new Map(
    readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .filter(Boolean)
      .map((entry) => {
        const at = entry.indexOf('=');
        return [entry.slice(0, at), entry.slice(at + 1)] as const;
      }),
  );
  const page = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, field]) => field);
  t.ok(documented.includes('nonce'));
  const handoff = JSON.parse(environment.get('GRACE_HANDOFF')!) as object;
  t.strictSame(
    Object.keys(handoff).filter((field) => !documented.includes(field)),
    [],
  );
  const added = [...environment.keys()].filter((name) => !['PATH', 'HOME', 'NODE', 'PROGRAM', 'SECRET', 'DEBUG'].includes(name));
  t.strictSame(
    added.filter((name) => !['GRACE_HANDOFF', 'NODE_OPTIONS', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'PWD'].includes(name)),
    [],
  );
  process.kill(pid, 'SIGTERM');
  await waitUntil(
    'the end',
    () => program.all('closed').length === 2,
    () => program.report(),
  );
});
