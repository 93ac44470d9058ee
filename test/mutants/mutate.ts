import ts from 'typescript';
import { parseSource } from '../support/sources.js';

/** One small change of a source file that a test should notice. */
export interface Mutant {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly before: string;
  readonly after: string;
}

/** Operators, and what each is swapped with. */
const SWAPS = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.AmpersandAmpersandToken, '||'],
  [ts.SyntaxKind.BarBarToken, '&&'],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [ts.SyntaxKind.LessThanToken, '<='],
  [ts.SyntaxKind.LessThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanToken, '>='],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>'],
  [ts.SyntaxKind.PlusToken, '-'],
  [ts.SyntaxKind.MinusToken, '+'],
]);
/** Calls that change nothing but what is printed. */
const ONLY_PRINTS = /^(this\.#?)?(log|debug|warn|say)\b/;

/** All mutants of a source file. Types, imports and messages stay as they are. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const source = parseSource(file, text);
  const found: Mutant[] = [];
  const add = (node: ts.Node, after: string): void => {
    const from = node.getStart(source);
    const before = text.slice(from, node.end);
    found.push({ file, line: source.getLineAndCharacterOfPosition(from).line + 1, from, to: node.end, before, after });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node) || ts.isInterfaceDeclaration(node)) return;
    // What an error says may change; that it is thrown may not.
    if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText(source))) return;
    const mutation = mutationOf(node, source);
    if (mutation !== undefined) add(mutation.node, mutation.after);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

interface Mutation {
  readonly node: ts.Node;
  readonly after: string;
}

function mutationOf(node: ts.Node, source: ts.SourceFile): Mutation | undefined {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return negated(node.expression, source);
  if (ts.isConditionalExpression(node)) return negated(node.condition, source);
  if (ts.isBinaryExpression(node)) {
    const after = SWAPS.get(node.operatorToken.kind);
    return after === undefined ? undefined : { node: node.operatorToken, after };
  }
  if (ts.isNumericLiteral(node)) return { node, after: Number(node.text.replaceAll('_', '')) === 0 ? '1' : '0' };
  if (node.kind === ts.SyntaxKind.TrueKeyword) return { node, after: 'false' };
  if (node.kind === ts.SyntaxKind.FalseKeyword) return { node, after: 'true' };
  if (ts.isExpressionStatement(node) && !ONLY_PRINTS.test(node.getText(source)) && !isSuperCall(node)) return { node, after: ';' };
  if (ts.isThrowStatement(node)) return { node, after: ';' };
  return undefined;
}

function negated(condition: ts.Expression, source: ts.SourceFile): Mutation {
  return { node: condition, after: `!(${condition.getText(source)})` };
}

/** Without it no object is made, which each test notices. */
function isSuperCall({ expression }: ts.ExpressionStatement): boolean {
  return ts.isCallExpression(expression) && expression.expression.kind === ts.SyntaxKind.SuperKeyword;
}

/** The text of a file with one mutant. */
export function mutated(text: string, { from, to, after }: Mutant): string {
  return text.slice(0, from) + after + text.slice(to);
}

export function describeMutant({ file, line, before, after }: Mutant): string {
  const short = before.replace(/\s+/g, ' ');
  return `${file}:${line}: ${after === ';' ? `without "${short}"` : `"${short}" is "${after.replace(/\s+/g, ' ')}"`}`;
}
