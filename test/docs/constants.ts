import ts from 'typescript';
import { parseSource } from '../support/sources.js';

/** An option that is a number, as the source that checks it has it. */
export interface NumberOption {
  /** Its default; undefined if it has none there. */
  readonly otherwise: number | undefined;
  /** What its error expects. */
  readonly expects: string;
}

/** What `setTimeout()` takes at most, see lib/check/numbers.ts. */
const MILLISECONDS = 'a whole number of milliseconds from 0 to 2147483647';

/** The value of a constant number at the top of a source file. */
export function constantIn(file: string, name: string): number {
  for (const statement of parseSource(file).statements) {
    if (!ts.isVariableStatement(statement)) continue;
    const found = statement.declarationList.declarations.find((declaration) => declaration.name.getText() === name);
    if (found?.initializer !== undefined) return numberOf(file, found.initializer);
  }
  throw new Error(`${file} has no constant ${name}`);
}

/** The call of `milliseconds()` or `wholeNumber()` that checks an option. */
export function numberOption(file: string, name: string): NumberOption {
  const call = findCall(parseSource(file), name);
  if (call === undefined) throw new Error(`${file} does not check the option ${name}`);
  const [, , first, second] = call.arguments;
  if (call.expression.getText() === 'milliseconds') return { otherwise: numberOf(file, first!), expects: MILLISECONDS };
  const { parent } = call;
  const hasDefault = ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken;
  return {
    otherwise: hasDefault ? numberOf(file, parent.right) : undefined,
    expects: `a whole number from ${numberOf(file, first!)} to ${numberOf(file, second!)}`,
  };
}

function findCall(node: ts.Node, name: string): ts.CallExpression | undefined {
  if (ts.isCallExpression(node) && ['milliseconds', 'wholeNumber'].includes(node.expression.getText())) {
    const [option] = node.arguments;
    if (option !== undefined && ts.isStringLiteral(option) && option.text === name) return node;
  }
  return ts.forEachChild(node, (child) => findCall(child, name));
}

function numberOf(file: string, node: ts.Expression): number {
  if (ts.isIdentifier(node)) return constantIn(file, node.text);
  // Literals, and 1 << 20.
  return new Function(`return (${node.getText()})`)() as number;
}
