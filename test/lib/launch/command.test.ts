import { realpathSync } from 'node:fs';
import t from 'tap';
import { type Invocation, repeatCommand, successorCommand } from '../../../lib/launch/command.js';

const NODE = '/usr/bin/node';

interface Case extends Partial<Invocation> {
  readonly what: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

const cases: readonly Case[] = [
  { what: 'a plain start', argv: [NODE, '/app/server.js'], directory: '/app', shellDirectory: '/app', args: ['/app/server.js'], cwd: '/app' },
  {
    what: 'arguments of the program and of Node.js',
    execArgv: ['--enable-source-maps', '--import', 'x'],
    argv: [NODE, '/app/server.js', '--port', '80', ''],
    directory: '/app',
    args: ['--enable-source-maps', '--import', 'x', '/app/server.js', '--port', '80', ''],
    cwd: '/app',
  },
  {
    what: 'a directory behind a symbolic link',
    argv: [NODE, '/releases/1/server.js'],
    directory: '/releases/1',
    shellDirectory: '/current',
    args: ['/current/server.js'],
    cwd: '/current',
  },
  {
    what: 'a script deeper in a directory behind a link',
    argv: [NODE, '/releases/1/dist/bin/server.js', '/releases/1/config'],
    directory: '/releases/1',
    shellDirectory: '/current',
    args: ['/current/dist/bin/server.js', '/releases/1/config'],
    cwd: '/current',
  },
  {
    what: 'a directory that the shell names with a slash at the end',
    argv: [NODE, '/releases/1/server.js'],
    directory: '/releases/1',
    shellDirectory: '/current/',
    args: ['/current/server.js'],
    cwd: '/current/',
  },
  {
    what: 'a script outside the directory',
    argv: [NODE, '/opt/tool/server.js'],
    directory: '/releases/1',
    shellDirectory: '/current',
    args: ['/opt/tool/server.js'],
    cwd: '/current',
  },
  {
    what: 'a script in a folder whose name only begins like the directory',
    argv: [NODE, '/releases/10/server.js'],
    directory: '/releases/1',
    shellDirectory: '/current',
    args: ['/releases/10/server.js'],
    cwd: '/current',
  },
  { what: 'no $PWD', argv: [NODE, '/releases/1/server.js'], directory: '/releases/1', args: ['/releases/1/server.js'], cwd: '/releases/1' },
  { what: 'the root directory', argv: [NODE, '/server.js'], directory: '/', shellDirectory: '/', args: ['/server.js'], cwd: '/' },
  { what: 'a link to the root directory', argv: [NODE, '/server.js'], directory: '/', shellDirectory: '/host', args: ['/host/server.js'], cwd: '/host' },
  { what: 'node -e', execArgv: ['-e', 'serve()'], argv: [NODE], directory: '/app', args: ['-e', 'serve()'], cwd: '/app' },
  {
    what: 'node -e with arguments',
    execArgv: ['-e', 'serve()'],
    argv: [NODE, 'a', 'b'],
    directory: '/app',
    args: ['-e', 'serve()', 'a', 'b'],
    cwd: '/app',
  },
];

for (const { what, args, cwd, execArgv = [], argv = [], directory = '/', shellDirectory } of cases) {
  t.test(what, async (t) => {
    const command = repeatCommand({ execPath: NODE, execArgv, argv, directory, shellDirectory });
    t.strictSame(command, { file: NODE, args, cwd });
  });
}

t.test('the successor of this process', async (t) => {
  const directory = process.cwd();
  process.chdir('/');
  t.teardown(() => process.chdir(directory));
  const { file, args, cwd } = successorCommand();
  t.equal(file, process.execPath);
  t.equal(realpathSync(cwd), directory, 'in the directory where this process was started, not where it is now');
  t.strictSame(args.slice(0, process.execArgv.length), process.execArgv);
  t.equal(realpathSync(args[process.execArgv.length]!), realpathSync(process.argv[1]!));
});
