import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../support/sources.js';

/** The entries of the package, and the source of each. */
export const ENTRIES: Readonly<Record<string, string>> = {
  'ts-grace': 'lib/index.ts',
  'ts-grace/gracehttp': 'gracehttp/index.ts',
  'ts-grace/ws': 'gracehttp/websocket/index.ts',
  'ts-grace/auto': 'gracehttp/auto/index.ts',
  'ts-grace/starter': 'starter/index.ts',
};

/** A docstring: its text without the tags, and the text of each tag. */
export interface Docstring {
  readonly text: string;
  readonly tags: readonly { readonly name: string; readonly text: string }[];
}

/** One export of an entry, or a public member of one. */
export interface Documented extends Docstring {
  /** `App`, or `App.serve` for a member. */
  readonly name: string;
  readonly kind: 'function' | 'class' | 'type' | 'method' | 'property' | 'option';
  /** The docstring of what it is a member of. */
  readonly owner?: Docstring;
}

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};

/** All exports of all entries, with the members that users see; each once. */
export function readExports(): readonly Documented[] {
  const program = ts.createProgram(
    Object.values(ENTRIES).map((file) => join(ROOT, file)),
    options,
  );
  const checker = program.getTypeChecker();
  const found = new Map<ts.Symbol, Documented[]>();
  for (const file of Object.values(ENTRIES)) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(join(ROOT, file))!)!;
    for (const symbol of checker.getExportsOfModule(module)) {
      const original = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      if (!found.has(original)) found.set(original, describe(checker, original));
    }
  }
  return [...found.values()].flat();
}

/** The names that each entry exports. */
export function exportedNames(file: string): string[] {
  const source = ts.createSourceFile(file, ts.sys.readFile(join(ROOT, file))!, ts.ScriptTarget.ES2022, true);
  return source.statements.filter(ts.isExportDeclaration).flatMap(({ exportClause }) => {
    return exportClause !== undefined && ts.isNamedExports(exportClause) ? exportClause.elements.map(({ name }) => name.text) : [];
  });
}

function describe(checker: ts.TypeChecker, symbol: ts.Symbol): Documented[] {
  const { name } = symbol;
  const own = docstring(checker, symbol);
  const kind = symbol.flags & ts.SymbolFlags.Function ? 'function' : symbol.flags & ts.SymbolFlags.Class ? 'class' : 'type';
  // Settings has the options of a process again, with every default filled in.
  const members = name === 'Settings' ? [] : [...(symbol.members?.values() ?? [])].filter(isPublic);
  const isOptions = /Options$|^Warmup|^EntryOptions$/.test(name);
  return [
    { name, kind, ...own },
    ...members.map((member): Documented => {
      const optional = (member.flags & ts.SymbolFlags.Optional) !== 0;
      const isMethod = (member.flags & ts.SymbolFlags.Method) !== 0 && kind === 'class';
      return {
        name: `${name}.${member.name}`,
        kind: isMethod ? 'method' : optional && isOptions ? 'option' : 'property',
        ...docstring(checker, member),
        owner: own,
      };
    }),
  ];
}

/** What a user can see: no private, protected, internal or computed member, and no constructor without arguments. */
function isPublic(symbol: ts.Symbol): boolean {
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || symbol.name.startsWith('__')) return false;
  if (!ts.isClassElement(declaration) && !ts.isTypeElement(declaration)) return false;
  const flags = ts.getCombinedModifierFlags(declaration);
  if (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) return false;
  if (declaration.name === undefined || !ts.isPropertyName(declaration.name) || ts.isPrivateIdentifier(declaration.name)) return false;
  if (ts.isComputedPropertyName(declaration.name)) return false;
  return !ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'internal');
}

function docstring(checker: ts.TypeChecker, symbol: ts.Symbol): Docstring {
  return {
    text: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    tags: symbol.getJsDocTags(checker).map(({ name, text }) => ({ name, text: ts.displayPartsToString(text) })),
  };
}
