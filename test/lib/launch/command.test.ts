import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import { type Invocation, refuseUnrepeatable, repeatArguments, successorCommand } from '../../../lib/launch/command.js';
import { fails } from '../../support/errors.js';

const NODE = '/usr/bin/node';

interface Case extends Partial<Omit<Invocation, 'directory'>> {
  readonly what: string;
  readonly directory?: string;
  readonly shellDirectory?: string;
  /** What is expected. */
  readonly args: readonly string[];
}

const cases: readonly Case[] = [
  { what: 'a plain start', argv: [NODE, '/app/server.js'], directory: '/app', shellDirectory: '/app', args: ['/app/server.js'] },
  {
    what: 'arguments of the program and of Node.js',
    execArgv: ['--enable-source-maps', '--import', 'x'],
    argv: [NODE, '/app/server.js', '--port', '80', ''],
    directory: '/app',
    args: ['--enable-source-maps', '--import', 'x', '/app/server.js', '--port', '80', ''],
  },
  {
    what: 'a directory behind a symbolic link',
    argv: [NODE, '/releases/1/server.js'],
    directory: '/releases/1',
    shellDirectory: '/current',
    args: ['/current/server.js'],
  },
  {
    what: 'a script deeper in a directory behind a link',
    argv: [NODE, '/releases/1/dist/bin/server.js', '/releases/1/config'],
    directory: '/releases/1',
    shellDirectory: '/current',
    args: ['/current/dist/bin/server.js', '/releases/1/config'],
  },
  {
    what: 'a directory that the shell names with a slash at the end',
    argv: [NODE, '/releases/1/server.js'],
    directory: '/releases/1',
    shellDirectory: '/current/',
    args: ['/current/server.js'],
  },
  {
    what: 'a script outside the directory',
    argv: [NODE, '/opt/tool/server.js'],
    directory: '/releases/1',
    shellDirectory: '/current',
    args: ['/opt/tool/server.js'],
  },
  {
    what: 'a script in a folder whose name only begins like the directory',
    argv: [NODE, '/releases/10/server.js'],
    directory: '/releases/1',
    shellDirectory: '/current',
    args: ['/releases/10/server.js'],
  },
  { what: 'no $PWD', argv: [NODE, '/releases/1/server.js'], directory: '/releases/1', args: ['/releases/1/server.js'] },
  { what: 'the root directory', argv: [NODE, '/server.js'], directory: '/', shellDirectory: '/', args: ['/server.js'] },
  { what: 'a link to the root directory', argv: [NODE, '/server.js'], directory: '/', shellDirectory: '/host', args: ['/host/server.js'] },
  { what: 'node -e', execArgv: ['-e', 'serve()'], argv: [NODE], directory: '/app', args: ['-e', 'serve()'] },
  {
    what: 'node -e with arguments',
    execArgv: ['-e', 'serve()'],
    argv: [NODE, 'a', 'b'],
    directory: '/app',
    args: ['-e', 'serve()', 'a', 'b'],
  },
];

const RELEASE = { directory: '/releases/1', shellDirectory: '/current' };
const TYPED: readonly Case[] = [
  { what: 'node .', argv: [NODE, '/releases/1'], commandLine: ['node', '.'], ...RELEASE, args: ['.'] },
  { what: 'node . without a command line (title changed, no /proc)', argv: [NODE, '/releases/1'], ...RELEASE, args: ['/current'] },
  { what: 'node dir', argv: [NODE, '/releases/1/dir', 'x'], commandLine: ['node', 'dir', 'x'], ...RELEASE, args: ['dir', 'x'] },
  { what: 'node dir without a command line', argv: [NODE, '/releases/1/dir', 'x'], ...RELEASE, args: ['/current/dir', 'x'] },
  {
    what: 'ts-node, which changes process.argv and process.execArgv',
    execArgv: ['/releases/1/node_modules/ts-node/dist/bin.js', '--swc'],
    argv: ['/releases/1/node_modules/ts-node/dist/bin.js', '/releases/1/server.ts', '/releases/1/config'],
    commandLine: ['node', '/releases/1/node_modules/.bin/ts-node', '--swc', 'server.ts', '/releases/1/config'],
    ...RELEASE,
    args: ['/current/node_modules/.bin/ts-node', '--swc', 'server.ts', '/releases/1/config'],
  },
  {
    what: 'absolute loaders, as tsx passes them',
    execArgv: [
      '--require',
      '/releases/1/node_modules/tsx/preflight.cjs',
      '--import',
      'file:///releases/1/node_modules/tsx/loader.mjs',
      '--import=/releases/1/x.mjs',
    ],
    argv: [NODE, '/releases/1/server.ts'],
    commandLine: [
      NODE,
      '--require',
      '/releases/1/node_modules/tsx/preflight.cjs',
      '--import',
      'file:///releases/1/node_modules/tsx/loader.mjs',
      '--import=/releases/1/x.mjs',
      'server.ts',
    ],
    ...RELEASE,
    args: [
      '--require',
      '/current/node_modules/tsx/preflight.cjs',
      '--import',
      'file:///current/node_modules/tsx/loader.mjs',
      '--import=/current/x.mjs',
      'server.ts',
    ],
  },
  {
    what: 'a loader URL in a directory with a space',
    execArgv: ['--import', 'file:///my%20releases/1/x.mjs'],
    argv: [NODE, '/my releases/1/server.js'],
    directory: '/my releases/1',
    shellDirectory: '/the current',
    args: ['--import', 'file:///the%20current/x.mjs', '/the current/server.js'],
  },
  { what: '--inspect takes a free port', execArgv: ['--inspect'], argv: [NODE, '/a.js'], args: ['--inspect', '--inspect-port=0', '/a.js'] },
  {
    what: '--inspect=port',
    execArgv: ['--inspect=0.0.0.0:9229'],
    argv: [NODE, '/a.js', '--inspect'],
    args: ['--inspect=0.0.0.0:9229', '--inspect-port=0', '/a.js', '--inspect'],
  },
  {
    what: '--inspect-brk does not wait',
    execArgv: ['--inspect-brk'],
    argv: [NODE, '/a.js'],
    args: ['--inspect-brk', '--no-inspect-brk', '--inspect-port=0', '/a.js'],
  },
  {
    what: '--inspect in NODE_OPTIONS',
    options: '--no-warnings --inspect-wait=9229',
    argv: [NODE, '/a.js'],
    args: ['--no-inspect-wait', '--inspect-port=0', '/a.js'],
  },
  {
    what: '--inspect in the second generation',
    execArgv: ['--inspect', '--inspect-port=0'],
    argv: [NODE, '/a.js'],
    args: ['--inspect', '--inspect-port=0', '/a.js'],
  },
  { what: '--inspect of the program itself', argv: [NODE, '/a.js', '--inspect'], args: ['/a.js', '--inspect'] },
  {
    what: '--inspect with a loader in the release',
    execArgv: ['--inspect', '--import', '/releases/1/x.mjs'],
    argv: [NODE, '/releases/1/a.js'],
    ...RELEASE,
    args: ['--inspect', '--import', '/current/x.mjs', '--inspect-port=0', '/current/a.js'],
  },
];

for (const { what, args, directory, shellDirectory, ...rest } of [...cases, ...TYPED]) {
  t.test(what, async (t) => {
    const start = { physical: directory, named: shellDirectory };
    t.strictSame(repeatArguments({ execArgv: [], argv: [], ...rest, directory: start }), args);
  });
}

t.test('a program from standard input is refused', async (t) => {
  const directory = { physical: '/', named: '/' };
  for (const script of [[], ['-'], ['-', 'x'], ['/dev/stdin'], ['/dev/fd/63'], ['/proc/self/fd/5']]) {
    const argv = [NODE, ...script];
    const facts = { code: 'RESTART_UNSUPPORTED', subject: 'process.argv', value: argv } as const;
    await fails(t, () => refuseUnrepeatable({ argv, execArgv: ['--no-warnings'], directory }), facts, `node ${script.join(' ')}`);
  }
  for (const execArgv of [['-e', '0'], ['--eval=0'], ['-p', '0'], ['-pe', '0'], ['--print', '0']]) {
    t.doesNotThrow(() => refuseUnrepeatable({ argv: [NODE], execArgv, directory }), execArgv[0]!);
  }
  t.doesNotThrow(() => refuseUnrepeatable({ argv: [NODE, '/a.js'], execArgv: [], directory }));
});

t.test('the successor of this process', async (t) => {
  const directory = process.cwd();
  process.chdir('/');
  t.teardown(() => process.chdir(directory));
  const { file, args, cwd } = await successorCommand();
  t.equal(realpathSync(file), process.execPath);
  t.equal(realpathSync(cwd), directory, 'in the directory where this process was started, not where it is now');
  t.strictSame(args.slice(0, process.execArgv.length), process.execArgv);
  t.equal(realpathSync(resolve(cwd, args[process.execArgv.length]!)), realpathSync(process.argv[1]!));
  t.strictSame(await successorCommand(['sh', '-c', 'x']), { file: 'sh', args: ['-c', 'x'], cwd });
});
