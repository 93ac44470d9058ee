import { statSync } from 'node:fs';

/** How to run a program again. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** What {@link repeatCommand} needs to know of a process. */
export interface Invocation {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  /** The working directory as the kernel has it, symbolic links resolved away. */
  readonly directory: string;
  /** The directory as the shell that started the process named it (`$PWD`). */
  readonly shellDirectory: string | undefined;
}

/** As it was when the library was loaded: a program may change its directory and its `process.argv`. */
const invocation: Invocation = readInvocation();

/** The command that starts this program again, or what replaced it meanwhile. */
export function successorCommand(): Command {
  return repeatCommand(invocation);
}

/**
 * The same command in the directory it was started from. Where the shell came
 * to that directory through a symbolic link, so does the successor: it starts
 * the release that the link leads to now. Node.js resolves the script's path
 * with the link gone, so that is put back.
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
