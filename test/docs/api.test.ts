import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from '../support/sources.js';
import { ENTRIES, type Documented, exportedNames, readExports } from './exports.js';

/** Functions and methods for which there is nothing to throw, whatever they are given. */
const NEVER_THROW = [
  ...['formatAddress', 'begin', 'Grace.stop', 'App.reload', 'Probation.fail'],
  ...['Carried.leave', 'Carried.get', 'Carried.tell', 'Carried.hear', 'Carried.ask', 'Carried.onAsk'],
];
const TIME = /\.(\w*(Timeout|Delay|Time|Interval)|time|interval|every|age)$/;
const UNIT = /\b(milliseconds|ms|seconds|Times are in)\b/;

const EXPORTS = readExports();
const named = (list: readonly Documented[]): string[] => list.map(({ name }) => name);
const has = (tag: string, { tags }: Documented): boolean => tags.some(({ name, text }) => name === tag && text.trim() !== '');

t.test('every export, and every member of one, has a docstring', async (t) => {
  t.ok(EXPORTS.length > 150, `${EXPORTS.length} exports and members`);
  t.strictSame(named(EXPORTS.filter(({ text }) => text.trim().length < 5)), []);
});

t.test('every option says its default, or that it has none', async (t) => {
  const options = EXPORTS.filter(({ kind }) => kind === 'option');
  t.ok(options.length > 50, `${options.length} options`);
  t.strictSame(named(options.filter(({ text }) => !/\bDefaults?\b/.test(text))), []);
});

t.test('every time has its unit', async (t) => {
  const times = EXPORTS.filter(({ name, kind }) => (kind === 'option' || kind === 'property') && TIME.test(name));
  t.ok(times.length > 20, `${times.length} times`);
  t.strictSame(named(times.filter(({ text, owner }) => !UNIT.test(text) && !UNIT.test(owner?.text ?? ''))), []);
});

t.test('every function and method says which errors it throws', async (t) => {
  const callable = EXPORTS.filter(({ kind }) => kind === 'function' || kind === 'method');
  t.ok(callable.length > 20, `${callable.length} functions and methods`);
  t.strictSame(named(callable.filter((one) => !has('throws', one) && !NEVER_THROW.includes(one.name))), []);
  for (const { name, tags } of callable) {
    for (const { text } of tags.filter((tag) => tag.name === 'throws')) {
      t.match(text, /`[A-Z_*]+`|\{@link|as .* do|the error/, `${name} names the codes of its errors`);
    }
  }
});

t.test('every function and class has an example', async (t) => {
  const values = EXPORTS.filter(({ kind }) => kind === 'function' || kind === 'class');
  t.ok(values.length > 15, `${values.length} functions and classes`);
  t.strictSame(named(values.filter((one) => !has('example', one))), []);
});

t.test('docs/api.md names every export of every entry in its part', async (t) => {
  const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
  for (const [entry, file] of Object.entries(ENTRIES)) {
    const begin = page.indexOf(`\n## \`${entry}\`\n`);
    t.ok(begin > 0, entry);
    const end = page.indexOf('\n## ', begin + 1);
    const text = page.slice(begin, end < 0 ? undefined : end);
    const missing = exportedNames(file).filter((name) => !new RegExp(`[\`. ]${name}\\b`).test(text));
    t.strictSame(missing, [], entry);
  }
});
