import { Environment, type EnvironmentOptions } from '@marcbachmann/cel-js';
import type { FieldTable, FieldType } from '../protocols/protocol.ts';

/** Names under a name; a field has none. */
export interface FieldNode {
  readonly path: string;
  /** `map` for what has further names: an object of the record. */
  readonly type: FieldType;
  readonly under: Map<string, FieldNode> | undefined;
}

/** What a field's value is in CEL. */
export const CEL_TYPES: { readonly [type in FieldType]: string } = {
  string: 'string',
  int: 'int',
  bool: 'bool',
  duration: 'google.protobuf.Duration',
  timestamp: 'google.protobuf.Timestamp',
  list: 'list',
  map: 'map',
};

/** Bounds of an expression; what is written by hand stays far below. */
const LIMITS = { maxAstNodes: 2000, maxDepth: 64 } as const;

/** The fields by their names' parts: `http.status` under `http`. */
export function fieldTree(table: FieldTable): ReadonlyMap<string, FieldNode> {
  const root = new Map<string, FieldNode>();
  for (const [path, { type }] of Object.entries(table)) {
    const parts = path.split('.');
    let names: Map<string, FieldNode> | undefined = root;
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1;
      const node: FieldNode = names.get(part) ?? {
        path: parts.slice(0, index + 1).join('.'),
        type: isLast ? type : 'map',
        under: isLast ? undefined : new Map(),
      };
      names.set(part, node);
      names = node.under;
      // A map whose members are not known beforehand takes any name.
      if (names === undefined) break;
    }
  }
  return root;
}

type Schema = { [name: string]: string | Schema };

/** A CEL environment with the fields and their types: it reports what is wrong with an expression, and where. */
export function checkingEnvironment(tree: ReadonlyMap<string, FieldNode>): Environment {
  const environment = withNumbers({ limits: LIMITS });
  for (const [name, node] of tree) {
    if (node.under === undefined) environment.registerVariable(name, CEL_TYPES[node.type]);
    else environment.registerVariable({ name, schema: schemaOf(node.under) });
  }
  return environment;
}

function schemaOf(nodes: ReadonlyMap<string, FieldNode>): Schema {
  return Object.fromEntries(
    [...nodes].map(([name, node]) => [name, node.under === undefined ? CEL_TYPES[node.type] : schemaOf(node.under)]),
  );
}

/** An environment in which ints and doubles are also equal to one another, not only less or greater. */
export function withNumbers(options: EnvironmentOptions): Environment {
  return new Environment(options).registerOperator('int == double: bool', (a: bigint, b: number) => Number(a) === b);
}
