import type { ASTNode, Environment } from '@marcbachmann/cel-js';
import type { FieldType } from '../protocols/protocol.ts';
import { type Chain, chainOf, isText, restOf } from './chain.ts';
import type { FieldNode } from './field-tree.ts';
import { compilePattern } from './patterns.ts';
import { celValue, instantOf, valueAt } from './values.ts';

/** A variable of the rewritten expression. */
export interface Variable {
  readonly name: string;
  /** As CEL's environment calls it. */
  readonly type: FieldType | 'presence' | 'instant';
  /** Its value for a record; undefined where the record lacks it. */
  read(record: object): unknown;
}

/** One test without `&&`, `||`, `!` or `? :` around it, rewritten to variables. */
export interface Atom {
  readonly text: string;
  readonly variables: ReadonlySet<Variable>;
  /** It decides within itself what it looks at: a missing field does not make it false beforehand. */
  readonly branches: boolean;
}

/** A mistake in the expression that only its evaluation would find. */
export class WhereMistake extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
/** Their first argument is a name for what they go through. */
const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind']);

/** What a literal becomes in the library's environment, once: `duration("200ms")`. */
type Constant = { readonly type: 'duration' | 'timestamp' | 'instant'; readonly value: unknown };

/**
 * Rewrites tests for their evaluation: fields become variables with their own reading, durations and timestamps are
 * made once, moments are compared as nanoseconds, regular expressions are compiled.
 */
export class Rewriter {
  readonly patterns: ((text: string) => boolean)[] = [];
  readonly #variables = new Map<string, Variable>();
  readonly #tree: ReadonlyMap<string, FieldNode>;
  readonly #text: string;
  readonly #environment: Environment;
  #bound: readonly string[] = [];
  #used = new Set<Variable>();
  #branches = false;

  constructor(tree: ReadonlyMap<string, FieldNode>, text: string, environment: Environment) {
    this.#tree = tree;
    this.#text = text;
    this.#environment = environment;
  }

  get variables(): Iterable<Variable> {
    return this.#variables.values();
  }

  /** @throws WhereMistake */
  atom(node: ASTNode): Atom {
    this.#used = new Set();
    this.#branches = false;
    const text = this.#emit(node);
    return { text, variables: this.#used, branches: this.#branches };
  }

  /** Whether `has(…)` holds, of a field or an object with fields; undefined for a member of a map: CEL looks itself. */
  presence(node: ASTNode): Variable | undefined {
    const chain = this.#chain(node);
    if (chain === undefined || chain.end !== node) return undefined;
    const { path } = chain.field;
    const parts = path.split('.');
    return this.#variable(`h ${path}`, 'presence', (record) => valueAt(record, parts) !== undefined);
  }

  #emit(node: ASTNode): string {
    const chain = this.#chain(node);
    if (chain !== undefined) return this.#emitChain(node, chain);
    switch (node.op) {
      case 'value':
        return this.#text.slice(node.range.start, node.range.end);
      case 'id':
        return node.args;
      case '.':
        return `${this.#emitTarget(node.args[0])}.${node.args[1]}`;
      case '[]':
        return `(${this.#emit(node.args[0])})[${this.#emit(node.args[1])}]`;
      case 'call':
        return this.#emitCall(node, node.args[0], node.args[1]);
      case 'rcall':
        return this.#emitMethod(node.args[0], node.args[1], node.args[2]);
      case 'list':
        return `[${node.args.map((each) => this.#emit(each)).join(', ')}]`;
      case 'map':
        return `{${node.args.map(([key, value]) => `${this.#emit(key)}: ${this.#emit(value)}`).join(', ')}}`;
      case '?:': {
        this.#branches = true;
        const [condition, yes, no] = node.args;
        return `(${this.#emit(condition)} ? ${this.#emit(yes)} : ${this.#emit(no)})`;
      }
      case '!_':
        return `!(${this.#emit(node.args)})`;
      case '-_':
        return `-(${this.#emit(node.args)})`;
      case '&&':
      case '||':
        this.#branches = true;
        return `(${this.#emit(node.args[0])} ${node.op} ${this.#emit(node.args[1])})`;
      case '.?':
      case '[?]':
        throw new WhereMistake('optional values are not supported', node.range.start);
      default:
        return this.#emitBinary(node.op, node.args[0], node.args[1]);
    }
  }

  #emitBinary(operator: string, left: ASTNode, right: ASTNode): string {
    if (COMPARISONS.has(operator) && this.#isMoment(left) && this.#isMoment(right)) {
      return `(${this.#emitMoment(left)} ${operator} ${this.#emitMoment(right)})`;
    }
    return `(${this.#emit(left)} ${operator} ${this.#emit(right)})`;
  }

  #emitTarget(node: ASTNode): string {
    return node.op === 'id' ? this.#emit(node) : `(${this.#emit(node)})`;
  }

  #emitCall(node: ASTNode, name: string, args: readonly ASTNode[]): string {
    const [first] = args;
    if (name === 'has' && first !== undefined) {
      this.#branches = true;
      const present = this.presence(first);
      return present === undefined ? `has(${this.#emit(first)})` : this.#use(present);
    }
    if ((name === 'duration' || name === 'timestamp') && isText(first) && args.length === 1) {
      return this.#constant(node, { type: name, value: this.#evaluated(node) });
    }
    return `${name}(${args.map((each) => this.#emit(each)).join(', ')})`;
  }

  #emitMethod(name: string, target: ASTNode, args: readonly ASTNode[]): string {
    const [first] = args;
    if (name === 'matches' && first !== undefined && args.length === 1) {
      if (!isText(first)) throw new WhereMistake('matches() takes a regular expression in quotes', first.range.start);
      return `${this.#emitTarget(target)}.${PATTERN_FUNCTION}(${this.#pattern(first)})`;
    }
    if (!MACROS.has(name) || first?.op !== 'id') {
      return `${this.#emitTarget(target)}.${name}(${args.map((each) => this.#emit(each)).join(', ')})`;
    }
    const receiver = this.#emitTarget(target);
    const outer = this.#bound;
    this.#bound = [...outer, first.args];
    const body = args.map((each) => this.#emit(each)).join(', ');
    this.#bound = outer;
    return `${receiver}.${name}(${body})`;
  }

  #pattern(literal: ASTNode): number {
    try {
      return this.patterns.push(compilePattern(String(literal.args))) - 1;
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new WhereMistake(`the regular expression is not valid: ${why}`, literal.range.start);
    }
  }

  #isMoment(node: ASTNode): boolean {
    if (node.op === 'call') return node.args[0] === 'timestamp' && isText(node.args[1][0]);
    const chain = this.#chain(node);
    return chain?.field.type === 'timestamp' && chain.end === node;
  }

  #emitMoment(node: ASTNode): string {
    if (node.op === 'call') {
      const text = String(node.args[1][0]?.args);
      const value = instantOf(text);
      if (value === undefined) {
        throw new WhereMistake(`"${text}" is no timestamp such as 2026-07-02T14:03:07Z`, node.range.start);
      }
      return this.#constant(node, { type: 'instant', value });
    }
    const path = this.#chain(node)?.field.path ?? '';
    const parts = path.split('.');
    return this.#use(
      this.#variable(`i ${path}`, 'instant', (record) => {
        const value = valueAt(record, parts);
        return typeof value === 'string' ? instantOf(value) : undefined;
      }),
    );
  }

  #emitChain(node: ASTNode, { field, end }: Chain): string {
    const parts = field.path.split('.');
    const read = (record: object) => celValue(valueAt(record, parts), field.type);
    const name = this.#use(this.#variable(`f ${field.path}`, field.type, read));
    return restOf(node, end).reduce((text, rest) => text + rest, name);
  }

  #chain(node: ASTNode): Chain | undefined {
    return chainOf(node, this.#tree, this.#bound);
  }

  #constant(node: ASTNode, { type, value }: Constant): string {
    return this.#use(this.#variable(`c ${type} ${node.range.start}`, type, () => value));
  }

  /** @throws WhereMistake when the literal means nothing: `duration("soon")` */
  #evaluated(node: ASTNode): unknown {
    try {
      return this.#environment.evaluate(this.#text.slice(node.range.start, node.range.end));
    } catch (thrown) {
      const summary = thrown instanceof Error && 'summary' in thrown ? String(thrown.summary) : String(thrown);
      throw new WhereMistake(summary, node.range.start);
    }
  }

  #variable(key: string, type: Variable['type'], read: Variable['read']): Variable {
    let variable = this.#variables.get(key);
    if (variable === undefined) {
      variable = { name: `x${this.#variables.size}`, type, read };
      this.#variables.set(key, variable);
    }
    return variable;
  }

  #use(variable: Variable): string {
    this.#used.add(variable);
    return variable.name;
  }
}

/** The method that stands for `matches`: it takes the number of a compiled expression. */
export const PATTERN_FUNCTION = 'matchesPattern';
