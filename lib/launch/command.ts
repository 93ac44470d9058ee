import { statSync } from 'node:fs';

/** How to run a program again. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** What {@link repeatCommand} needs to know about a process. */
export interface Invocation {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  /** The working directory as the kernel has it, symbolic links resolved away. */
  readonly directory: string;
  /** The directory as the shell that started the process named it (`$PWD`). */
  readonly shellDirectory: string | undefined;
}

/** Read when the library is loaded, because a program may change its directory and its `process.argv`. */
const invocation: Invocation = readInvocation();

/** The command that starts this program again, in the version that is now installed. */
export function successorCommand(): Command {
  return repeatCommand(invocation);
}

/**
 * The same command in the same directory. If the shell reached that directory
 * through a symbolic link, the successor uses the link too, and so starts the
 * release that the link leads to now. Node.js resolves the link in the script's
 * path, so it is put back there.
 */
export function repeatCommand({ execPath, execArgv, argv, directory, shellDirectory }: Invocation): Command {
  const cwd = shellDirectory ?? directory;
  const inside = withSlash(directory);
  const [script, ...rest] = argv.slice(1);
  const translated = script?.startsWith(inside) === true ? `${withSlash(cwd)}${script.slice(inside.length)}` : script;
  return { file: execPath, args: [...execArgv, ...(translated === undefined ? [] : [translated]), ...rest], cwd };
}

function withSlash(directory: string): string {
  return directory.endsWith('/') ? directory : `${directory}/`;
}

function readInvocation(): Invocation {
  const directory = process.cwd();
  const { execPath, execArgv, argv, env } = process;
  return {
    execPath,
    execArgv: [...execArgv],
    argv: [...argv],
    directory,
    shellDirectory: namesDirectory(env['PWD'], directory) ? env['PWD'] : undefined,
  };
}

function namesDirectory(path: string | undefined, directory: string): path is string {
  if (path === undefined || !path.startsWith('/')) return false;
  const a = statSync(path, { throwIfNoEntry: false });
  const b = statSync(directory);
  return a?.dev === b.dev && a.ino === b.ino;
}
