import type { ASTNode } from '@marcbachmann/cel-js';
import { chainOf } from './chain.ts';
import type { FieldNode } from './field-tree.ts';

/**
 * Paths of the fields that an expression looks at: of an object, such as `src` in `src == dst` or `src[name]`, the object's.
 * @param tree all fields
 */
export function looksAt(node: ASTNode, tree: ReadonlyMap<string, FieldNode>): string[] {
  const chain = chainOf(node, tree, []);
  return chain === undefined ? operands(node).flatMap((each) => looksAt(each, tree)) : [chain.field.path];
}

function operands(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case '!_':
    case '-_':
      return [node.args];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    default:
      return node.args;
  }
}
