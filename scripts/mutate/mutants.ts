import { codeBelow, type Node, nodeAt, syntaxOf } from './syntax.ts';

/** One token that is changed. */
export interface Mutant {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: 'comparison' | 'boolean' | 'arithmetic' | 'constant' | 'statement';
  /** Where in the file the change begins, and what stands there before and after. */
  readonly at: number;
  readonly before: string;
  readonly after: string;
}

/** A change and the node that it changes. */
export interface Change extends Mutant {
  readonly node: Node;
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
};
const LOGICAL: Readonly<Record<string, string>> = { '&&': '||', '||': '&&' };
const ARITHMETIC: Readonly<Record<string, string>> = { '+': '-', '-': '+', '*': '/', '/': '*', '+=': '-=', '-=': '+=' };

/** Every change of one token that this file allows. @param file its path, for the answer */
export function mutantsOf(file: string, source: string): Mutant[] {
  return changesOf(file, source).map(({ node: _, ...mutant }) => mutant);
}

/** The same with the nodes, in the order of the file. */
export function changesOf(file: string, source: string): Change[] {
  const lines = lineTable(source);
  const changes: Change[] = [];
  const visit = (node: Node) => {
    const change = changeOf(node, source);
    if (change !== undefined) {
      changes.push({ file, line: lines.findLastIndex((start) => start <= change.at) + 1, node, ...change });
    }
    for (const below of codeBelow(node)) visit(below);
  };
  visit(syntaxOf(source));
  return changes.sort((a, b) => a.at - b.at || a.kind.localeCompare(b.kind));
}

/** The file with that change. */
export function changed(source: string, { at, before, after }: Omit<Mutant, 'file' | 'line' | 'kind'>): string {
  return source.slice(0, at) + after + source.slice(at + before.length);
}

type Edit = Pick<Mutant, 'kind' | 'at' | 'before' | 'after'>;

function changeOf(node: Node, source: string): Edit | undefined {
  switch (node.type) {
    case 'BinaryExpression':
      return operator(node, source, 'comparison', COMPARISONS) ?? operator(node, source, 'arithmetic', ARITHMETIC);
    case 'LogicalExpression':
      return operator(node, source, 'boolean', LOGICAL);
    case 'AssignmentExpression':
      return operator(node, source, 'arithmetic', ARITHMETIC);
    case 'UnaryExpression':
      return negation(node);
    case 'Literal':
      return literal(node);
    case 'ExpressionStatement':
      return statement(node, source);
    default:
      return undefined;
  }
}

function operator(
  node: Node,
  source: string,
  kind: Mutant['kind'],
  others: Readonly<Record<string, string>>,
): Edit | undefined {
  const before = String(node.operator);
  const after = others[before];
  const left = nodeAt(node, 'left');
  if (after === undefined || left === undefined) return undefined;
  return { kind, at: source.indexOf(before, left.end), before, after };
}

/** `!x`; of `!!x`, which only makes a boolean, the second one. */
function negation(node: Node): Edit | undefined {
  const value = nodeAt(node, 'argument');
  if (node.operator !== '!' || (value?.type === 'UnaryExpression' && value.operator === '!')) return undefined;
  return { kind: 'boolean', at: node.start, before: '!', after: '' };
}

/** Booleans and decimal integers. */
function literal(node: Node): Edit | undefined {
  const before = String(node.raw);
  if (typeof node.value === 'boolean') {
    return { kind: 'boolean', at: node.start, before, after: String(!node.value) };
  }
  if (typeof node.value !== 'number' || !/^\d[\d_]*$/.test(before)) return undefined;
  return { kind: 'constant', at: node.start, before, after: String(node.value + 1) };
}

/** A statement of one line that does something: a call, or a value given to a variable that is there. */
function statement(node: Node, source: string): Edit | undefined {
  let what = nodeAt(node, 'expression');
  if (what?.type === 'AwaitExpression' || (what?.type === 'UnaryExpression' && what.operator === 'void')) {
    what = nodeAt(what, 'argument');
  }
  const before = source.slice(node.start, node.end);
  const does = what?.type === 'AssignmentExpression' || what?.type === 'ChainExpression' || isCall(what);
  return does && !before.includes('\n') ? { kind: 'statement', at: node.start, before, after: ';' } : undefined;
}

/** A class without super() cannot be made at all: everything notices that. */
function isCall(node: Node | undefined): boolean {
  return node?.type === 'CallExpression' && nodeAt(node, 'callee')?.type !== 'Super';
}

function lineTable(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
