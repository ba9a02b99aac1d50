import type { ASTNode, Environment } from '@marcbachmann/cel-js';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { nearest } from '../../wire/near.ts';
import { recordFields } from '../protocols/all-fields.ts';
import type { FieldTable } from '../protocols/protocol.ts';
import { corrected, typeHint } from './corrections.ts';
import { CEL_TYPES, checkingEnvironment, type FieldNode, fieldTree, withNumbers } from './field-tree.ts';
import { looksAt } from './looks-at.ts';
import { NeverEqual } from './never-equal.ts';
import { type Atom, PATTERN_FUNCTION, Rewriter, type Variable, WhereMistake } from './rewrite.ts';

/** Which records are wanted. */
export interface Where {
  /** @param record as the JSON output has it (src/analyze/record/record.ts) */
  matches(record: object): boolean;
  /** `--where: 0 of 231 records matched; dst.service here: api, web`; undefined when a record matched, or none came. */
  note(): string | undefined;
  /** Records that do not match were left out before they came here. @param count since the last time */
  leftOut(count: number): void;
}

export type Test = (record: object) => boolean;

/** Nested deeper than what is written: rewriting adds parentheses. */
const REWRITTEN_LIMITS = { maxDepth: 1000 } as const;

/**
 * Compile a `--where` expression: CEL over the fields of docs/json.md. A test that looks at a field the record lacks is
 * false, whatever the test is; `&&`, `||` and `!` use that result.
 * @param name of the expression in messages
 * @throws KsnoopError USAGE (exit 2), saying what is wrong and where
 */
export function compileWhere(text: string, fields: FieldTable = recordFields(), name = '--where'): Where {
  const tree = fieldTree(fields);
  const checking = checkingEnvironment(tree);
  try {
    const parsed = checking.parse(text);
    const checked = parsed.check();
    if (!checked.valid) throw checked.error;
    if (checked.type !== 'bool' && checked.type !== 'dyn') {
      throw new WhereMistake(`the expression must be true or false, and is ${readable(checked.type ?? '')}`, 0);
    }
    const matches = compileTest(parsed.ast, new Rewriter(tree, text, checking));
    return counted(matches, new NeverEqual(parsed.ast, tree), name);
  } catch (thrown) {
    const found = mistake(thrown, text, fields, tree);
    throw found === undefined ? thrown : usage(found, text, name);
  }
}

/**
 * What of a `--where` expression can be decided with some of a record's fields: all that `&&` joins at the top and that looks at
 * no other field. A record that this test fails does not match the expression.
 * @param text of an expression that compileWhere takes
 * @param isKnown whether the field with a path can be looked at; of an object, such as `src`, whether it can as a whole
 * @returns undefined where nothing can be decided
 * @throws KsnoopError USAGE as compileWhere
 */
export function compilePart(text: string, isKnown: (path: string) => boolean): Test | undefined {
  compileWhere(text);
  const tree = fieldTree(recordFields());
  const checking = checkingEnvironment(tree);
  const decided = joinedByAnd(checking.parse(text).ast).filter((node) => looksAt(node, tree).every(isKnown));
  if (decided.length === 0) return undefined;
  const tests = decided.map((node) => compileTest(node, new Rewriter(tree, text, checking)));
  return (record) => tests.every((test) => test(record));
}

function joinedByAnd(node: ASTNode): ASTNode[] {
  return node.op === '&&' ? node.args.flatMap(joinedByAnd) : [node];
}

function compileTest(node: ASTNode, rewriter: Rewriter): Test {
  const atoms: { readonly atom: Atom; run: Test }[] = [];
  const test = compileNode(node, rewriter, atoms);
  const environment = rewrittenEnvironment(rewriter);
  for (const each of atoms) each.run = compileAtom(each.atom, environment);
  return test;
}

/** The same test, with a note of why nothing matched. */
function counted(test: Test, neverEqual: NeverEqual, name: string): Where {
  let total = 0;
  let matched = 0;
  let areAllHere = true;
  return {
    leftOut(count) {
      total += count;
      if (count > 0) areAllHere = false;
    },
    matches(record) {
      total += 1;
      if (test(record)) {
        matched += 1;
        return true;
      }
      if (matched === 0) neverEqual.saw(record);
      return false;
    },
    note() {
      if (matched > 0 || total === 0) return undefined;
      return [`${name}: 0 of ${total.toLocaleString('en-US')} records matched`, ...neverEqual.notes(areAllHere)].join(
        '; ',
      );
    },
  };
}

/** `&&`, `||`, `!` and `? :` of tests, and `has(…)`, run here; all other nodes are tests that CEL evaluates. */
function compileNode(node: ASTNode, rewriter: Rewriter, atoms: { atom: Atom; run: Test }[]): Test {
  const compile = (each: ASTNode) => compileNode(each, rewriter, atoms);
  switch (node.op) {
    case '&&': {
      const [left, right] = [compile(node.args[0]), compile(node.args[1])];
      return (record) => left(record) && right(record);
    }
    case '||': {
      const [left, right] = [compile(node.args[0]), compile(node.args[1])];
      return (record) => left(record) || right(record);
    }
    case '!_': {
      const negated = compile(node.args);
      return (record) => !negated(record);
    }
    case '?:': {
      const [condition, yes, no] = [compile(node.args[0]), compile(node.args[1]), compile(node.args[2])];
      return (record) => (condition(record) ? yes(record) : no(record));
    }
    default: {
      const present = node.op === 'call' && node.args[0] === 'has' ? presenceOf(node.args[1][0], rewriter) : undefined;
      if (present !== undefined) return (record) => present.read(record) === true;
      const holder = { atom: rewriter.atom(node), run: (): boolean => false };
      atoms.push(holder);
      return (record) => (holder.run as Test)(record);
    }
  }
}

function presenceOf(node: ASTNode | undefined, rewriter: Rewriter): Variable | undefined {
  return node === undefined ? undefined : rewriter.presence(node);
}

/** Has the variables of the rewritten tests. */
function rewrittenEnvironment(rewriter: Rewriter): Environment {
  const environment = withNumbers({ limits: REWRITTEN_LIMITS });
  for (const { name, type } of rewriter.variables) environment.registerVariable(name, variableType(type));
  return environment.registerFunction(
    `string.${PATTERN_FUNCTION}(int): bool`,
    (text: string, number: bigint) => rewriter.patterns[Number(number)]?.(text) ?? false,
  );
}

function variableType(type: Variable['type']): string {
  if (type === 'presence') return 'bool';
  return type === 'instant' ? 'int' : CEL_TYPES[type];
}

function compileAtom({ text, variables, branches }: Atom, environment: Environment): Test {
  const run = environment.parse(text);
  const checked = run.check();
  if (!checked.valid) throw checked.error;
  const read = [...variables];
  const context: Record<string, unknown> = {};
  return (record) => {
    for (const variable of read) {
      const value = variable.read(record);
      if (value === undefined && !branches) return false;
      context[variable.name] = value;
    }
    try {
      return run(context) === true;
    } catch {
      // A member that a map lacks, a division by zero, a list that is too short: no such thing, so the test is false.
      return false;
    }
  };
}

/** What is wrong with an expression. */
interface Mistake {
  readonly what: string;
  /** The character, from 0. */
  readonly at: number;
  readonly hint: string | undefined;
}

/** What was thrown because of an expression, and how to correct it; undefined when it was thrown for anything else. */
function mistake(
  thrown: unknown,
  text: string,
  fields: FieldTable,
  tree: ReadonlyMap<string, FieldNode>,
): Mistake | undefined {
  if (thrown instanceof WhereMistake) return { what: thrown.message, at: thrown.at, hint: undefined };
  if (!(thrown instanceof Error) || !('summary' in thrown) || !('code' in thrown)) return undefined;
  const range = 'range' in thrown ? (thrown.range as { start: number; end: number } | undefined) : undefined;
  const at = range?.start ?? 0;
  const meant = corrected(text, fields);
  const write = meant !== undefined && isValid(meant, tree) ? `Write: ${meant}` : undefined;
  if (thrown.code !== 'unknown_variable' && thrown.code !== 'no_such_key') {
    const hint = write ?? (thrown.code === 'no_such_overload' ? typeHint(text.slice(at), fields) : undefined);
    return { what: readable(String(thrown.summary)), at, hint };
  }
  const end = range?.end ?? text.length;
  const name = /[\w.]*$/.exec(text.slice(0, end))?.[0] ?? '';
  const near = nearFields(name, Object.keys(fields));
  const list = '`ksnoop help fields` lists the fields.';
  const hint = write ?? (near.length === 0 ? list : `Did you mean ${near.join(' or ')}? ${list}`);
  return { what: `there is no field "${name}"`, at: end - name.length, hint };
}

function isValid(text: string, tree: ReadonlyMap<string, FieldNode>): boolean {
  try {
    return checkingEnvironment(tree).parse(text).check().valid;
  } catch {
    return false;
  }
}

/** Fields that end with what was typed (`sni`), else those that look like it: of the same object if there are any. */
function nearFields(name: string, paths: readonly string[]): string[] {
  const ending = paths.filter((path) => path.endsWith(`.${name}`)).slice(0, 3);
  if (ending.length > 0) return ending;
  const near = nearest(name, paths);
  const object = name.slice(0, name.lastIndexOf('.') + 1);
  const within = near.filter((path) => object !== '' && path.startsWith(object));
  return within.length > 0 ? within : near;
}

function usage({ what, at, hint }: Mistake, text: string, name: string): KsnoopError {
  const position = Math.max(0, at) + 1;
  const near = text.slice(Math.max(0, at)).split('\n')[0] ?? '';
  const where =
    near === '' ? 'at its end' : `at character ${position}, "${near.length > 40 ? `${near.slice(0, 39)}…` : near}"`;
  return new KsnoopError('USAGE', `${name}: ${what} (${where}).`, { hint, exit: EXIT.usage });
}

/** The library's words with CEL's short names of types. */
function readable(text: string): string {
  return text
    .replaceAll('google.protobuf.', '')
    .replaceAll(/\$[\w.]+/g, 'object')
    .replace(/^no such overload: (.*)$/, '$1 is not defined');
}
