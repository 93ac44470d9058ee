import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { linksOf } from './support/pages/links.js';
import { ROOT, parseSource } from './support/sources.js';

const PAGES = [
  'readme.md',
  'contributing.md',
  'changelog.md',
  'test/readme.md',
  'examples/readme.md',
  ...readdirSync(join(ROOT, 'examples'))
    .map((name) => `examples/${name}/readme.md`)
    .filter((page) => existsSync(join(ROOT, page))),
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The anchors that a page has for its headings, as GitHub makes them. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.replace(/^```.*\n[^]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The codes of errors: the union in the source. */
function errorCodes(): string[] {
  const codes: string[] = [];
  ts.forEachChild(parseSource('lib/errors.ts'), (node) => {
    if (!ts.isTypeAliasDeclaration(node) || node.name.text !== 'GraceErrorCode' || !ts.isUnionTypeNode(node.type)) return;
    for (const member of node.type.types)
      if (ts.isLiteralTypeNode(member) && ts.isStringLiteral(member.literal)) codes.push(member.literal.text);
  });
  return codes;
}

t.test('every link of the documents leads to a file or a heading', async (t) => {
  for (const page of PAGES) {
    const broken = linksOf(read(page)).filter(({ target }) => {
      if (/^\w+:/.test(target)) return false;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && !anchorsOf(read(file)).has(anchor);
    });
    t.strictSame(broken, [], page);
  }
});

t.test('docs/readme.md leads to every page', async (t) => {
  const pages = PAGES.filter((page) => /^docs\/(?!readme)/.test(page)).map((page) => page.replace('docs/', ''));
  const linked = linksOf(read('docs/readme.md')).map(({ target }) => target);
  t.ok(pages.length > 20);
  t.strictSame(
    pages.filter((page) => !linked.includes(page)),
    [],
  );
  const examples = readdirSync(join(ROOT, 'examples')).filter((name) => !name.endsWith('.md'));
  const named = linksOf(read('examples/readme.md')).map(({ target }) => target.split('/')[0]);
  t.strictSame(
    examples.filter((name) => !named.includes(name)),
    [],
  );
});

t.test('docs/errors.md has each code once, with a cause and a remedy', async (t) => {
  const page = read('docs/errors.md');
  const sections = [...page.matchAll(/^### `([A-Z_]+)`\n\n([^]*?)(?=\n##|$(?![^]))/gm)].map(([, code = '', text = '']) => ({ code, text }));
  const codes = errorCodes();
  t.ok(codes.length > 10);
  t.strictSame(sections.map(({ code }) => code).sort(), codes.sort());
  for (const { code, text } of sections) {
    const [cause = '', remedy = ''] = text.split('**Remedy:**');
    t.ok(cause.trim().length > 20 && remedy.trim().length > 20, code);
  }
});

t.test('each claim of docs/security.md has a test', async (t) => {
  const claims = read('docs/security.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (claim|---)/.test(line));
  t.ok(claims.length > 15, `${claims.length} claims`);
  for (const claim of claims) {
    const tests = linksOf(claim);
    t.ok(tests.length > 0, claim);
    for (const { text, target } of tests) {
      const source = read(normalize(join('docs', target)));
      t.ok(source.includes(text) || target.includes(text), `${target}: ${text}`);
    }
  }
});

t.test('these checks find what they should', async (t) => {
  t.strictSame(
    linksOf('[a](b.md#c) `[d](e)`\n```\n[f](g)\n```\n[`h[i]`](j.md)').map(({ target }) => target),
    ['b.md#c', 'e', 'j.md'],
  );
  t.strictSame([...anchorsOf('# One `two`, three!\n```\n# no\n```\n## `FOUR_FIVE`')], ['one-two-three', 'four_five']);
});
