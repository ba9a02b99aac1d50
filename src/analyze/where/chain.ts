import type { ASTNode } from '@marcbachmann/cel-js';
import type { FieldNode } from './field-tree.ts';

/** A field, or an object with fields, as an expression names it. */
export interface Chain {
  readonly field: FieldNode;
  /** The node at which the field's name ends. */
  readonly end: ASTNode;
}

/**
 * The longest beginning of `a.b.c` or `a["b"]` that is a field or an object with fields.
 * @param bound names that mean something else here: those of a macro
 */
export function chainOf(
  node: ASTNode,
  tree: ReadonlyMap<string, FieldNode>,
  bound: readonly string[],
): Chain | undefined {
  const nodes: ASTNode[] = [];
  const names: string[] = [];
  for (let at: ASTNode = node; ; ) {
    nodes.unshift(at);
    if (at.op === 'id') {
      names.unshift(at.args);
      break;
    }
    if (at.op === '.') names.unshift(at.args[1]);
    else if (at.op === '[]' && isText(at.args[1])) names.unshift(String(at.args[1].args));
    else return undefined;
    at = at.args[0];
  }
  const [first = ''] = names;
  let field = bound.includes(first) ? undefined : tree.get(first);
  if (field === undefined) return undefined;
  let depth = 1;
  for (; depth < names.length; depth += 1) {
    const next: FieldNode | undefined = field.under?.get(names[depth] ?? '');
    if (next === undefined) break;
    field = next;
  }
  return { field, end: nodes[depth - 1] ?? node };
}

/** Whether it is a text in quotes. */
export function isText(node: ASTNode | undefined): boolean {
  return node?.op === 'value' && typeof node.args === 'string';
}

/** What stands behind the field: `.name` and `["name"]`, in order. */
export function restOf(node: ASTNode, end: ASTNode): string[] {
  if (node === end) return [];
  if (node.op === '.') return [...restOf(node.args[0], end), `.${node.args[1]}`];
  if (node.op === '[]') return [...restOf(node.args[0], end), `[${JSON.stringify(node.args[1].args)}]`];
  return [];
}
