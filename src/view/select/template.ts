import { type Path, parsePath, valuesAt } from './path.ts';
import { literalText, valueText } from './value-text.ts';

/** What Go's templates write for a member that is not there. */
const NO_VALUE = '<no value>';

/** Blocks within blocks. */
const DEPTH_MAXIMUM = 16;

/** `ofRoot`: `$.src`, the record also within a range. */
type Operand = { readonly path: Path; readonly ofRoot: boolean } | { readonly text: string };
type Node =
  | { readonly kind: 'text'; readonly text: string }
  /** The first operand that is there and not empty: as a text, as JSON, or its length. */
  | { readonly kind: 'value'; readonly operands: readonly Operand[]; readonly form: 'text' | 'json' | 'len' }
  | {
      readonly kind: Block;
      readonly test: Test;
      readonly matching: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Whether the operand is there; or not; or equal to one of the others, or to none. */
interface Test {
  readonly how: 'there' | 'not' | 'eq' | 'ne';
  readonly operand: Operand;
  readonly others: readonly Operand[];
}

/** `if` the operand is there; with it in place of the record; for each element of it. */
type Block = 'if' | 'with' | 'range';
const BLOCKS: ReadonlySet<string> = new Set(['if', 'with', 'range'] satisfies Block[]);

export type Template = readonly Node[];

/**
 * A part of Go's templates, which stern and kubectl take: `{{.src.pod}}`, `{{"\n"}}`, `{{json .http}}`, `{{or .src.pod .src.ip}}`,
 * `{{if .failed}}…{{else}}…{{end}}`, `{{if eq .status "503"}}`, `ne`, `not`, `{{range .dns.answers}}{{.data}} {{end}}`, `{{with .tcp}}…{{end}}`, `{{len .hops}}`, comments;
 * `{{-` and `-}}` remove spaces.
 * @returns the part that is wrong, or the template
 */
export function parseTemplate(text: string): Template | { readonly wrong: string } {
  const pieces = text
    .replace(/\s+\{\{-\s/g, '{{ ')
    .replace(/\s-\}\}\s+/g, ' }}')
    .replace(/\{\{\/\*.*?\*\/\}\}/gs, '')
    .split(/(\{\{(?:"(?:[^"\\]|\\.)*"|[^{}"])*\}\})/)
    .filter((piece) => piece !== '');
  const root: Node[] = [];
  const open: {
    readonly piece: string;
    readonly kind: Block;
    readonly test: Test;
    readonly matching: Node[];
    otherwise: Node[] | undefined;
  }[] = [];
  const add = (node: Node) => {
    const block = open.at(-1);
    (block?.otherwise ?? block?.matching ?? root).push(node);
  };
  for (const piece of pieces) {
    if (!piece.startsWith('{{')) {
      if (piece.includes('{{') || piece.includes('}}')) return { wrong: piece };
      add({ kind: 'text', text: piece });
      continue;
    }
    if (!piece.endsWith('}}')) return { wrong: piece };
    const words = piece.slice(2, -2).match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
    const [first = '', ...rest] = words;
    const block = open.at(-1);
    if (first === 'end' && rest.length === 0 && block !== undefined) {
      open.pop();
      add({ kind: block.kind, test: block.test, matching: block.matching, otherwise: block.otherwise ?? [] });
    } else if (first === 'else' && rest.length === 0 && block !== undefined && block.otherwise === undefined) {
      block.otherwise = [];
    } else if (isBlock(first)) {
      const test = testOf(first, rest);
      if (test === undefined || open.length >= DEPTH_MAXIMUM) return { wrong: piece };
      open.push({ piece, kind: first, test, matching: [], otherwise: undefined });
    } else {
      const isFunction = first === 'json' || first === 'or' || first === 'len';
      const operands = operandsOf(isFunction ? rest : words);
      const fits = operands.length > 0 && (first === 'or' || operands.length === 1);
      if (operands.length !== (isFunction ? rest : words).length || !fits) return { wrong: piece };
      add({ kind: 'value', operands, form: first === 'json' || first === 'len' ? first : 'text' });
    }
  }
  const unclosed = open.at(-1);
  return unclosed === undefined ? root : { wrong: unclosed.piece };
}

/** What the template makes of a record. */
export function templateText(template: Template, record: unknown, root: unknown = record): string {
  return template
    .map((node): string => {
      if (node.kind === 'text') return node.text;
      if (node.kind !== 'value') return blockText(node, record, root);
      const operand = node.operands.find((each) => isThere(each, record, root)) ?? node.operands.at(-1);
      if (operand === undefined) return '';
      if ('text' in operand) return operand.text;
      const values = valuesAt(operand.ofRoot ? root : record, operand.path);
      if (values.length === 0) return NO_VALUE;
      return values.map((value) => valueText(formed(value, node.form))).join(' ');
    })
    .join('');
}

function isBlock(word: string): word is Block {
  return BLOCKS.has(word);
}

/** What stands behind `if`, `with` or `range`: an operand; of `if` also `not`, `eq` or `ne` with theirs. */
function testOf(kind: Block, words: readonly string[]): Test | undefined {
  const [first = '', ...rest] = words;
  const how = kind === 'if' && (first === 'not' || first === 'eq' || first === 'ne') ? first : 'there';
  const given = how === 'there' ? words : rest;
  const operands = operandsOf(given);
  const [operand, ...others] = operands;
  if (operand === undefined || operands.length !== given.length) return undefined;
  const fits = how === 'eq' ? others.length > 0 : others.length === (how === 'ne' ? 1 : 0);
  return fits ? { how, operand, others } : undefined;
}

function holds({ how, operand, others }: Test, record: unknown, root: unknown): boolean {
  if (how === 'there') return isThere(operand, record, root);
  if (how === 'not') return !isThere(operand, record, root);
  const text = operandText(operand, record, root);
  const isEqual = others.some((other) => text !== undefined && operandText(other, record, root) === text);
  return isEqual === (how === 'eq');
}

/** A literal, or the value at a path as a text; undefined where there is none, or an object. */
function operandText(operand: Operand, record: unknown, root: unknown): string | undefined {
  if ('text' in operand) return operand.text;
  const [value] = valuesAt(operand.ofRoot ? root : record, operand.path);
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value);
}

function blockText(
  { kind, test, matching, otherwise }: Node & { kind: Block },
  record: unknown,
  root: unknown,
): string {
  const { operand } = test;
  if (!holds(test, record, root)) return templateText(otherwise, record, root);
  if (kind === 'if') return templateText(matching, record, root);
  const [value] = 'text' in operand ? [operand.text] : valuesAt(operand.ofRoot ? root : record, operand.path);
  if (kind === 'with') return templateText(matching, value, root);
  const elements = typeof value === 'object' && value !== null ? Object.values(value) : [];
  if (elements.length === 0) return templateText(otherwise, record, root);
  return elements.map((element) => templateText(matching, element, root)).join('');
}

/** What a function makes of a value: how long a list, a text or a map is. */
function formed(value: unknown, form: 'text' | 'json' | 'len'): unknown {
  if (form === 'text') return value;
  if (form === 'json') return JSON.stringify(value);
  if (typeof value === 'string') return String(Buffer.byteLength(value));
  return typeof value === 'object' && value !== null ? String(Object.keys(value).length) : NO_VALUE;
}

function operandsOf(words: readonly string[]): Operand[] {
  return words.flatMap((word): Operand[] => {
    const text = /^-?\d+$|^true$|^false$/.test(word) ? word : literalText(word);
    if (text !== undefined) return [{ text }];
    const path = /^[.$]/.test(word) ? parsePath(word) : undefined;
    return path === undefined ? [] : [{ path, ofRoot: word.startsWith('$') }];
  });
}

/** Whether Go's templates take it as true. */
function isThere(operand: Operand, record: unknown, root: unknown): boolean {
  if ('text' in operand) return operand.text !== '';
  const [value] = valuesAt(operand.ofRoot ? root : record, operand.path);
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}
