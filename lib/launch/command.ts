import { readFileSync } from 'node:fs';
import { GraceError } from '../errors.js';
import { chooseNode, findNodePath } from './node-path.js';
import { type StartDirectory, readStartDirectory, usableDirectory } from './start-directory.js';

/** How to run a program again. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** How a process was started. */
export interface Invocation {
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  /** The command line as it was typed; undefined if the kernel does not tell it, or the program has overwritten it. */
  readonly commandLine?: readonly string[] | undefined;
  /** `NODE_OPTIONS` */
  readonly options?: string | undefined;
  readonly directory: StartDirectory;
}

/** Read when the library is loaded, because a program may change its directory, its title and its `process.argv`. */
const invocation: Invocation = readInvocation();
const nodePath = readNodePath();

/**
 * The command that starts this program again, in the version that is now installed.
 *
 * @param command - the option `command`.
 * @throws GraceError `RESTART_FAILED` if the directory in which this process was started cannot be used.
 */
export async function successorCommand(command?: readonly string[]): Promise<Command> {
  const cwd = usableDirectory(invocation.directory);
  if (command !== undefined) return { file: command[0]!, args: command.slice(1), cwd };
  return { file: await chooseNode(nodePath, process.execPath), args: repeatArguments(invocation), cwd };
}

/** @throws GraceError `RESTART_UNSUPPORTED` if this process was started in a way that cannot be repeated. */
export function refuseUnrepeatable({ execArgv, argv }: Invocation = invocation): void {
  const [, script] = argv;
  if (execArgv.some(isEval) || (script !== undefined && !isInput(script))) return;
  const reason = 'its program came from standard input, which cannot be read again; the option command says how to start a successor';
  throw new GraceError('RESTART_UNSUPPORTED', `this process cannot restart: ${reason}`, { subject: 'process.argv', value: argv });
}

/**
 * The arguments of the same command. If the shell reached the directory through a
 * symbolic link, the successor uses the link too, and so starts the release that
 * the link leads to now. Paths with the link resolved away, as Node.js and loaders
 * make them, get the link back; arguments of the program stay as they are.
 */
export function repeatArguments({ execArgv, argv, commandLine, options, directory }: Invocation): readonly string[] {
  const typed = commandLine?.slice(1) ?? [...execArgv, ...argv.slice(1)];
  const own = argv.slice(execArgv.some(isEval) ? 1 : 2);
  const rest = endsWith(typed, own) ? typed.slice(typed.length - own.length) : [];
  const head = withFreeInspectorPort(typed.slice(0, typed.length - rest.length), execArgv, options);
  return [...head.map((argument) => translate(argument, directory)), ...rest];
}

/** A path in the start directory; it may be the value of an option, or a file: URL. */
function translate(argument: string, { physical, named }: StartDirectory): string {
  const [, option = '', scheme = '', path] = /^(--?[\w-]+=)?(file:\/\/)?(\/.*)$/s.exec(argument) ?? [];
  if (path === undefined || physical === undefined || named === undefined) return argument;
  const [from, to] = [physical, named].map((directory) => (scheme === '' ? directory : encodeURI(directory))) as [string, string];
  if (path === from) return option + scheme + to;
  return path.startsWith(withSlash(from)) ? option + scheme + withSlash(to) + path.slice(withSlash(from).length) : argument;
}

/**
 * The port of this process's inspector is taken, so the successor gets a free one,
 * which Node.js prints. It does not wait for a debugger. Of two options the last one counts.
 */
function withFreeInspectorPort(head: readonly string[], execArgv: readonly string[], options = ''): readonly string[] {
  const known = [...execArgv, ...options.split(' ')];
  const uses = (option: string): boolean => known.some((word) => word === option || word.startsWith(`${option}=`));
  const waits = ['brk', 'wait'].filter((what) => uses(`--inspect-${what}`));
  if (!uses('--inspect') && waits.length === 0) return head;
  const added = [...waits.map((what) => `--no-inspect-${what}`), '--inspect-port=0'].filter((word) => !execArgv.includes(word));
  // A launcher may have changed execArgv, and then nobody knows where the options of Node.js end.
  if (!startsWith(head, execArgv)) return head;
  return [...head.slice(0, execArgv.length), ...added, ...head.slice(execArgv.length)];
}

function isEval(option: string): boolean {
  return /^(-e|-p|-pe|--eval|--print)(=|$)/.test(option);
}

function isInput(script: string): boolean {
  return script === '-' || /^\/(dev\/(stdin|fd\/)|proc\/)/.test(script);
}

function startsWith(list: readonly string[], start: readonly string[]): boolean {
  return start.every((value, index) => list[index] === value);
}

function endsWith(list: readonly string[], end: readonly string[]): boolean {
  return list.length >= end.length && startsWith(list.slice(list.length - end.length), end);
}

function withSlash(directory: string): string {
  return directory.endsWith('/') ? directory : `${directory}/`;
}

function readInvocation(): Invocation {
  const { execArgv, argv, env } = process;
  return {
    execArgv: [...execArgv],
    argv: [...argv],
    commandLine: readCommandLine(),
    options: env['NODE_OPTIONS'],
    directory: readStartDirectory(env['PWD']),
  };
}

/** proc(5). process.title overwrites it: with the title alone, or with the title and empty arguments. */
function readCommandLine(): readonly string[] | undefined {
  try {
    const line = readFileSync('/proc/self/cmdline', 'utf8').split('\0').slice(0, -1);
    return line[0] === process.argv0 && line[1] !== '' ? line : undefined;
  } catch {
    return undefined;
  }
}

function readNodePath(): string | undefined {
  const { named, physical } = invocation.directory;
  return findNodePath(process.argv0, process.env['PATH'], named ?? physical ?? '/', process.execPath);
}
