import { GraceError } from '../../lib/errors.js';

/** The options of Server::Starter: an abbreviation of one of them means what it means there. */
const OF_SERVER_STARTER = [
  ...['port', 'path', 'interval', 'log-file', 'pid-file', 'dir', 'signal-on-hup', 'signal-on-term', 'backlog', 'envdir'],
  ...['enable-auto-restart', 'daemonize', 'auto-restart-interval', 'kill-old-delay', 'status-file', 'restart', 'stop', 'help', 'version'],
];
const END_OF_OPTIONS = '--';

/**
 * Replaces `-port`, `--Port` and `--po` by `--port`, as Getopt::Long of Perl reads them.
 *
 * @param names - all options, with whether they take a value.
 * @throws GraceError `OPTION_INVALID` if an abbreviation can mean several options.
 */
export function expandOptions(args: readonly string[], names: ReadonlyMap<string, boolean>): string[] {
  const expanded: string[] = [];
  let isValue = false;
  for (const [index, arg] of args.entries()) {
    if (arg === END_OF_OPTIONS && !isValue) return [...expanded, ...args.slice(index)];
    const { given, rest = '' }: Given = isValue ? {} : readName(arg);
    const name: string | undefined = given === undefined ? undefined : findName(given.toLowerCase(), [...names.keys()]);
    expanded.push(name === undefined ? arg : `--${name}${rest}`);
    isValue = name !== undefined && rest === '' && names.get(name) === true;
  }
  return expanded;
}

interface Given {
  readonly given?: string | undefined;
  readonly rest?: string | undefined;
}

/** `-name`, `--name` or `--name=value`: the name, and the rest from `=` on. */
function readName(arg: string): Given {
  return /^--?(?<given>[a-z][a-z-]*)(?<rest>=.*)?$/is.exec(arg)?.groups ?? {};
}

/** Undefined if there is no such option. */
function findName(given: string, all: readonly string[]): string | undefined {
  if (all.includes(given)) return given;
  for (const names of [OF_SERVER_STARTER, all]) {
    const found = names.filter((name) => name.startsWith(given));
    if (found.length === 1) return found[0];
    if (found.length > 1) {
      const meanings = found.map((name) => `--${name}`).join(', ');
      throw new GraceError('OPTION_INVALID', `option --${given} is ambiguous: ${meanings}`, { subject: 'arguments', value: given });
    }
  }
  return undefined;
}
