import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { getBody } from '../../support/http/client.js';
import { children } from '../../support/proc.js';
import { type Program, type ProgramOptions, start } from '../../support/program.js';
import { goodRelease, writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';

/** A folder that a new release replaces: `current` leads to `1`, later to `2`. */
interface Deployment {
  readonly folder: string;
  readonly current: string;
  /** Swaps the link, and removes the first release. */
  deploy(): void;
}

function deployment(t: Test, fill: (folder: string, name: string) => void): Deployment {
  const folder = scratch(t);
  const current = join(folder, 'current');
  for (const name of ['1', '2']) {
    mkdirSync(join(folder, name));
    fill(join(folder, name), name);
  }
  symlinkSync('1', current);
  const deploy = (): void => {
    symlinkSync('2', join(folder, 'next'));
    renameSync(join(folder, 'next'), current);
    rmSync(join(folder, '1'), { recursive: true });
  };
  return { folder, current, deploy };
}

/** Restarts a program, and returns what the new process announced and answered. */
async function restarted(t: Test, program: Program, nth = 2): Promise<{ body: string; facts: Readonly<Record<string, unknown>> }> {
  process.kill(program.serving, 'SIGUSR2');
  const facts = await program.announced('ready', nth);
  t.equal(facts.generation, nth, program.report());
  // Until then both processes accept.
  await program.announced('closed', nth - 1);
  return { facts, body: await getBody((facts.addresses as string[])[0]!) };
}

const release = (name: string, before = ''): string =>
  goodRelease(name, '127.0.0.1:0', `announce('runs', { execPath: process.execPath, version: process.version }); ${before}`);

const WAYS: readonly {
  readonly how: string;
  readonly command: string;
  readonly files?: (name: string) => Readonly<Record<string, string>>;
}[] = [
  { how: 'node .', command: '"$NODE" .' },
  { how: 'node dir', command: '"$NODE" ../current argument' },
  {
    how: 'node dir, deeper',
    command: '"$NODE" app',
    files: (name) => ({ 'app/index.js': `import(${JSON.stringify('../server.mjs')})`, 'app/name': name }),
  },
  { how: 'node -e', command: '"$NODE" --input-type=module -e "await import(process.cwd() + \'/server.mjs\')" argument' },
  {
    how: 'an absolute loader of the release',
    command: '"$NODE" --import "file://$(pwd -P)/loader.mjs" --require "$(pwd -P)/loader.cjs" server.mjs',
    files: () => ({ 'loader.mjs': '', 'loader.cjs': '' }),
  },
  {
    how: 'a launcher that changes process.argv and process.execArgv, as ts-node does',
    command: '"$NODE" "$(pwd -P)/bin/launch.cjs" --fast server.mjs argument',
    files: () => ({
      'bin/launch.cjs': `
        const { resolve } = require('node:path');
        const [, , option, script, ...rest] = process.argv;
        process.execArgv.push(__filename, option);
        process.argv = [process.argv[1], resolve(script), ...rest];
        import(process.argv[1]);
      `,
    }),
  },
  {
    how: 'a program that changes its title, its arguments and its directory',
    command: '"$NODE" server.mjs argument',
    files: () => ({ 'change.mjs': 'process.title = "server"; process.argv.length = 1; process.chdir("/");' }),
  },
];

for (const { how, command, files } of WAYS) {
  t.test(`${how}: a restart starts the new release`, async (t) => {
    const { current, deploy } = deployment(t, (folder, name) => {
      const change = files?.(name)['change.mjs'] ?? '';
      writeRelease(folder, release(`release ${name}`, change));
      writeFileSync(join(folder, 'package.json'), '{ "main": "server.mjs" }');
      for (const [path, text] of Object.entries(files?.(name) ?? {})) {
        mkdirSync(join(folder, path, '..'), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
    });
    const program = start(t, '', { shell: `cd ${current} && exec ${command}` });
    await program.announced('ready');
    deploy();
    t.equal((await restarted(t, program)).body, 'release 2');
    t.match(await program.exited, { code: 0 });
    t.equal((await restarted(t, program, 3)).body, 'release 2', 'and once more');
  });
}

for (const how of ['by its path', 'by PATH'] as const) {
  t.test(`a Node.js that was swapped for another one is used, if it was started ${how}`, async (t) => {
    const { current, folder, deploy } = deployment(t, (inner, name) => {
      mkdirSync(join(inner, 'bin'));
      if (name === '1') symlinkSync(process.execPath, join(inner, 'bin/node'));
      else copyFileSync(process.execPath, join(inner, 'bin/node'));
    });
    const server = writeRelease(folder, release('same'));
    const shell = how === 'by PATH' ? `PATH=${current}/bin:$PATH; exec node ${server}` : `exec ${current}/bin/node ${server}`;
    const program = start(t, '', { shell });
    const before = await program.announced('runs');
    await program.announced('ready');
    deploy();
    await restarted(t, program);
    const after = await program.announced('runs', 2);
    t.not(after.execPath, before.execPath);
    await program.exited;
    await restarted(t, program, 3);
    t.equal((await program.announced('runs', 3)).execPath, after.execPath, 'later generations too');
  });
}

t.test('a Node.js that was swapped for something else is not used', async (t) => {
  const { current, folder, deploy } = deployment(t, (inner, name) => {
    mkdirSync(join(inner, 'bin'));
    if (name === '1') symlinkSync(process.execPath, join(inner, 'bin/node'));
    else writeFileSync(join(inner, 'bin/node'), '#!/bin/sh\necho v18.20.0\n', { mode: 0o755 });
  });
  const program = start(t, '', { shell: `exec ${current}/bin/node ${writeRelease(folder, release('same'))}` });
  await program.announced('ready');
  deploy();
  await restarted(t, program);
  t.equal((await program.announced('runs', 2)).execPath, process.execPath);
  await program.logged(`${current}/bin/node is Node.js v18.20.0, which is too old`);
});

for (const input of ['-', '', '/dev/stdin']) {
  t.test(`a program from standard input (node ${input}) cannot restart, and says why`, async (t) => {
    const server = writeRelease(scratch(t), release('input'));
    const program = start(t, '', {
      shell: `exec "$NODE" --input-type=module ${input} < ${server}`.replace(/--input-type=module (?=\/dev)/, ''),
    });
    const [address] = (await program.announced('ready')).addresses as string[];
    process.kill(program.pid, 'SIGUSR2');
    await program.logged('standard input');
    t.same(program.all('restarting'), [], 'refused before anything starts');
    t.same(children(program.pid), []);
    t.equal(await getBody(address!), 'input');
  });
}

t.test('the option command starts a successor that cannot be guessed', async (t) => {
  const folder = scratch(t);
  const server = writeRelease(folder, goodRelease('first', '127.0.0.1:0', '', `{ command: ['sh', '-c', 'exec "$NODE" next.mjs'] }`));
  writeFileSync(join(folder, 'next.mjs'), release('next'));
  const program = start(t, '', { shell: `cd ${folder} && exec "$NODE" --input-type=module < ${server}` });
  await program.announced('ready');
  t.equal((await restarted(t, program)).body, 'next');
});

t.test('--inspect: the successor takes another port and says which', async (t) => {
  const options: ProgramOptions[] = [
    { nodeArgs: ['--inspect=0'] },
    { nodeArgs: ['--inspect-port=0', '--inspect'], env: { NODE_OPTIONS: '--no-warnings' } },
    { env: { NODE_OPTIONS: '--inspect=0' } },
  ];
  for (const option of options) {
    const look = `announce('inspector', { url: process.getBuiltinModule('node:inspector').url() });`;
    const program = start(t, writeRelease(scratch(t), release('inspected', look)), option);
    await program.announced('ready');
    await restarted(t, program);
    const urls = program.all('inspector').map(({ url }) => String(url));
    t.not(new URL(urls[0]!).port, new URL(urls[1]!).port);
    await program.logged(`Debugger listening on ${urls[1]}`);
    t.notMatch(program.stderr, /address already in use|not available/);
    process.kill(program.serving, 'SIGKILL');
  }
});
