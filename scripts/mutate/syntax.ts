import { parseAst } from 'vitest/node';

/** A node of the syntax tree (ESTree with TypeScript's), with its place in the file. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly operator?: unknown;
  readonly value?: unknown;
  readonly raw?: unknown;
  readonly computed?: unknown;
  readonly declare?: unknown;
  readonly exportKind?: unknown;
}

export function syntaxOf(source: string): Node {
  return parseAst(source, { lang: 'ts' }) as unknown as Node;
}

/** TypeScript's nodes that have a value when the program runs. Their types are no code. */
const WITH_VALUE = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression']);

/** The nodes right below one that are code: no types, imports or declarations without a body. */
export function codeBelow(node: Node): Node[] {
  const below: Node[] = [];
  for (const [name, member] of Object.entries(node)) {
    if (name === 'parent') continue;
    for (const each of Array.isArray(member) ? member : [member]) if (isNode(each) && isCode(each)) below.push(each);
  }
  return below.sort((a, b) => a.start - b.start);
}

/** @returns the node at a member, undefined where there is none */
export function nodeAt(node: Node, name: string): Node | undefined {
  const member = (node as unknown as Record<string, unknown>)[name];
  return isNode(member) ? member : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

function isCode(node: Node): boolean {
  if (node.type.startsWith('TS')) return WITH_VALUE.has(node.type);
  if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return false;
  return node.declare !== true && node.exportKind !== 'type';
}
