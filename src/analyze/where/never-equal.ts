import type { ASTNode } from '@marcbachmann/cel-js';
import { chainOf, isText } from './chain.ts';
import type { FieldNode } from './field-tree.ts';
import { valueAt } from './values.ts';

/** Values of one field that are remembered, characters of each, and comparisons of one expression that are looked at. */
const VALUES_REMEMBERED = 8;
const VALUE_LENGTH = 80;
const COMPARISONS_MAXIMUM = 16;

/** A field that the expression compares with texts, and what it had in the records so far. */
interface Compared {
  readonly path: string;
  readonly parts: readonly string[];
  readonly wanted: Set<string>;
  readonly seen: Set<string>;
  /** A wanted value came, or there were more values than are remembered. */
  met: boolean;
  more: boolean;
}

/** Remembers why an expression matches nothing: which values the fields have that it compares with texts. */
export class NeverEqual {
  readonly #compared = new Map<string, Compared>();

  /** @param node of the checked expression */
  constructor(node: ASTNode, tree: ReadonlyMap<string, FieldNode>) {
    this.#collect(node, tree);
  }

  /** A record that did not match. */
  saw(record: object): void {
    for (const each of this.#compared.values()) {
      if (each.met) continue;
      const value = valueAt(record, each.parts);
      if (typeof value !== 'string') continue;
      if (each.wanted.has(value)) each.met = true;
      else if (each.seen.size < VALUES_REMEMBERED) each.seen.add(value.slice(0, VALUE_LENGTH));
      else if (!each.seen.has(value.slice(0, VALUE_LENGTH))) each.more = true;
    }
  }

  /**
   * `dst.service here: api, web`, for every field that never had a value of the expression.
   * @param areAllHere every record was seen
   */
  notes(areAllHere = true): string[] {
    const none = areAllHere ? 'no record has' : 'no record that came here has';
    return [...this.#compared.values()]
      .filter(({ met }) => !met)
      .map(({ path, seen, more }) =>
        seen.size === 0
          ? `${none} ${path}`
          : `${path} here: ${[...seen].sort().join(', ')}${more || !areAllHere ? ', …' : ''}`,
      );
  }

  #collect(node: ASTNode, tree: ReadonlyMap<string, FieldNode>): void {
    if (this.#compared.size >= COMPARISONS_MAXIMUM) return;
    switch (node.op) {
      case '&&':
      case '||':
        for (const each of node.args) this.#collect(each, tree);
        return;
      case '==': {
        const [left, right] = node.args;
        const [field, text] = isText(right) ? [left, right] : [right, left];
        if (isText(text)) this.#add(field, [String(text.args)], tree);
        return;
      }
      case 'in': {
        const [field, list] = node.args;
        if (list.op !== 'list') return;
        this.#add(
          field,
          list.args.filter((each) => isText(each)).map(({ args }) => String(args)),
          tree,
        );
      }
    }
  }

  #add(node: ASTNode, wanted: readonly string[], tree: ReadonlyMap<string, FieldNode>): void {
    const chain = chainOf(node, tree, []);
    if (chain === undefined || chain.end !== node || chain.field.type !== 'string' || wanted.length === 0) return;
    const { path } = chain.field;
    const known = this.#compared.get(path) ?? {
      path,
      parts: path.split('.'),
      wanted: new Set<string>(),
      seen: new Set<string>(),
      met: false,
      more: false,
    };
    for (const each of wanted) known.wanted.add(each);
    this.#compared.set(path, known);
  }
}
