import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { optionNames as processOptions, readOptions } from '../../lib/options.js';
import { readRecycle } from '../../lib/lifetime/lifetime-options.js';
import { DEFAULT_BACKLOG } from '../../lib/socket/listener.js';
import { readSettings, variableOf } from '../../gracehttp/auto/options/settings.js';
import { APP_OPTIONS, ENTRY_OPTIONS, SERVER_OPTIONS } from '../../gracehttp/entry/option-names.js';
import { readWarmup } from '../../gracehttp/warmup/warmup-options.js';
import { ROOT } from '../support/sources.js';
import { constantIn, numberOption } from './constants.js';

const PAGE = readFileSync(join(ROOT, 'docs/options.md'), 'utf8');

/** What the line below the heading of an option says. */
interface Facts {
  readonly name: string;
  readonly value: unknown;
  readonly expects: string;
  readonly variable: string | undefined;
}

/** The part of the page below a heading of the second level. */
function part(heading: string): string {
  const begin = PAGE.indexOf(`\n## ${heading}`);
  if (begin < 0) throw new Error(`docs/options.md has no part ${heading}`);
  const end = PAGE.indexOf('\n## ', begin + 1);
  return PAGE.slice(begin, end < 0 ? undefined : end);
}

/** A default as the page writes it: a literal of JavaScript, or `none`. */
function literal(text: string): unknown {
  const [, code] = /^`([^`]*)`/.exec(text) ?? [];
  // The page is a file of this repository.
  return code === undefined ? undefined : (new Function(`return (${code})`)() as unknown);
}

function sections(text: string): Facts[] {
  const pattern = /^### `(\w+)`\n\n\*\*Default\*\* (.*) · \*\*expects\*\* (.*) · \*\*variable\*\* (.*)\n\n\S/gm;
  return [...text.matchAll(pattern)].map(([, name = '', value = '', expects = '', variable = '']) => ({
    name,
    value: literal(value),
    expects,
    variable: variable === 'none' ? undefined : variable.slice(1, -1),
  }));
}

/** The rows of the tables: the name of the option, and the other cells. */
function rows(text: string): Map<string, readonly string[]> {
  const lines = text.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    lines.flatMap((line) => {
      const [, names = '', ...cells] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
      return [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, cells] as const);
    }),
  );
}

/** What the error for a value of a wrong type expects. */
function expectedBy(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as Error).message.split(', expected ')[1] ?? '';
  }
  return 'anything';
}

const WRONG = 1n as never;

t.test('the options of a process: each has its default, what it expects, and its variable', async (t) => {
  const found = sections(part('The process'));
  const defaults = new Map<string, unknown>(Object.entries(readOptions({})));
  t.strictSame(found.map(({ name }) => name).sort(), [...APP_OPTIONS].sort());
  for (const { name, value, expects, variable } of found) {
    const real = defaults.get(name);
    t.strictSame(value, typeof real === 'function' ? undefined : real, `the default of ${name}`);
    const expected = name === 'warmup' ? expectedBy(() => readWarmup(WRONG)) : expectedBy(() => readOptions({ [name]: WRONG }));
    t.equal(expects, expected, name);
    const isOnlyAFunction = expected === 'a function' || !processOptions().includes(name);
    t.equal(variable, isOnlyAFunction ? undefined : variableOf(name), `the variable of ${name}`);
  }
});

/** Values for options without a default. */
const VALUES: Readonly<Record<string, unknown>> = { pidFile: 'pid', recycle: { rss: 1 }, env: { A: '1' }, command: ['node'], log: false };

t.test('each variable sets its option', async (t) => {
  for (const { name, value, variable } of sections(part('The process'))) {
    if (variable === undefined) continue;
    const set = value ?? VALUES[name];
    const text = typeof set === 'string' ? set : JSON.stringify(set);
    const { options } = readSettings({ [variable]: text }, { path: 'package.json', grace: {} });
    t.strictSame(options, { [name]: set }, variable);
  }
  for (const { name, variable } of sections(part('`ts-grace/auto` only'))) {
    t.equal(variable, variableOf(name));
    const value = name === 'listen' ? ':8080' : 'manual';
    t.match(readSettings({ [variable!]: value }, { path: 'package.json', grace: {} }), { [name]: name === 'listen' ? [value] : value });
  }
});

t.test('the keys of recycle and warmup', async (t) => {
  const recycle = rows(part('The process').split('### `recycle`')[1]!.split('\n### ')[0]!);
  const { rss: _, ...defaults } = readRecycle({ rss: 1 })!;
  t.strictSame([...recycle.keys()].sort(), ['rss', ...Object.keys(defaults)].sort());
  for (const [name, value] of Object.entries(defaults)) t.equal(literal(recycle.get(name)![0]!), value, name);
  const warmup = rows(part('The process').split('### `warmup`')[1]!);
  const { requests: _requests, ...settings } = readWarmup(['/']);
  t.strictSame([...warmup.keys()].sort(), ['paths', ...Object.keys(settings)].sort());
  for (const [name, value] of Object.entries(settings)) t.equal(literal(warmup.get(name)![0]!), value, name);
});

const LIMITS = 'gracehttp/limit/limit-options.ts';
const NUMBERS_OF_ENTRIES = {
  mode: 'lib/socket/claim.ts',
  backlog: 'lib/socket/claim.ts',
  maxConnections: LIMITS,
  maxQueued: LIMITS,
  queueTimeout: LIMITS,
};
/** Defaults that are not where the option is checked. */
const DEFAULTS_ELSEWHERE: Readonly<Record<string, unknown>> = {
  backlog: DEFAULT_BACKLOG,
  maxQueued: constantIn('gracehttp/limit/connection-limit.ts', 'DEFAULT_MAX_QUEUED'),
};

t.test('the options of a server', async (t) => {
  const table = rows(part('A server'));
  t.strictSame([...table.keys()].sort(), ['listen', 'server', 'handler', ...ENTRY_OPTIONS].sort());
  for (const [name, file] of Object.entries(NUMBERS_OF_ENTRIES)) {
    const { otherwise, expects } = numberOption(file, name);
    const [value = '', expected] = table.get(name)!;
    t.equal(literal(value), DEFAULTS_ELSEWHERE[name] ?? otherwise, `the default of ${name}`);
    t.equal(expected, expects, name);
  }
});

t.test('the options of createServer() and health()', async (t) => {
  const table = rows(part('`createServer('));
  t.strictSame([...table.keys()].sort(), SERVER_OPTIONS.filter((name) => !ENTRY_OPTIONS.includes(name)).sort());
  const timeouts = [...table.keys()].filter((name) => name !== 'tls').map((name) => [name, 'gracehttp/create-server.ts', table] as const);
  const inHealth = ['checkTimeout', 'gracehttp/health/health.ts', rows(part('`health('))] as const;
  for (const [name, file, where] of [...timeouts, inHealth]) {
    const { otherwise, expects } = numberOption(file, name);
    const [value = '', expected] = where.get(name)!;
    t.equal(literal(value), otherwise, `the default of ${name}`);
    t.equal(expected, expects, name);
  }
});

t.test('what is read from the sources is what is in them', async (t) => {
  t.strictSame(numberOption('gracehttp/create-server.ts', 'tcpKeepAlive'), {
    otherwise: 15_000,
    expects: 'a whole number of milliseconds from 0 to 2147483647',
  });
  t.strictSame(numberOption('gracehttp/create-server.ts', 'maxHeaderBytes'), {
    otherwise: 1 << 20,
    expects: 'a whole number from 1 to 9007199254740991',
  });
  t.throws(() => numberOption('gracehttp/create-server.ts', 'nothing'));
  t.throws(() => constantIn('gracehttp/create-server.ts', 'NOTHING'));
});
