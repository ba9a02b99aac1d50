import { type Path, parsePath, valuesAt } from './path.ts';
import { literalText, valueText } from './value-text.ts';

/** What Go's templates write for a member that is not there. */
const NO_VALUE = '<no value>';

/** Blocks within blocks. */
const DEPTH_MAXIMUM = 16;

type Operand = { readonly path: Path } | { readonly text: string };
type Node =
  | { readonly kind: 'text'; readonly text: string }
  /** The first operand that is there and not empty; `json`: as JSON. */
  | { readonly kind: 'value'; readonly operands: readonly Operand[]; readonly json: boolean }
  | {
      readonly kind: 'if';
      readonly operand: Operand;
      readonly matching: readonly Node[];
      readonly otherwise: readonly Node[];
    };

export type Template = readonly Node[];

/**
 * A part of Go's templates, which stern and kubectl take: `{{.src.pod}}`, `{{"\n"}}`, `{{json .http}}`, `{{or .src.pod .src.ip}}`,
 * `{{if .failed}}…{{else}}…{{end}}`; `{{-` and `-}}` remove spaces.
 * @returns the part that is wrong, or the template
 */
export function parseTemplate(text: string): Template | { readonly wrong: string } {
  const pieces = text
    .replace(/\s+\{\{-\s/g, '{{ ')
    .replace(/\s-\}\}\s+/g, ' }}')
    .split(/(\{\{(?:"(?:[^"\\]|\\.)*"|[^{}"])*\}\})/)
    .filter((piece) => piece !== '');
  const root: Node[] = [];
  const open: {
    readonly piece: string;
    readonly operand: Operand;
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
      add({ kind: 'if', operand: block.operand, matching: block.matching, otherwise: block.otherwise ?? [] });
    } else if (first === 'else' && rest.length === 0 && block !== undefined && block.otherwise === undefined) {
      block.otherwise = [];
    } else if (first === 'if') {
      const [operand] = operandsOf(rest);
      if (operand === undefined || rest.length !== 1 || open.length >= DEPTH_MAXIMUM) return { wrong: piece };
      open.push({ piece, operand, matching: [], otherwise: undefined });
    } else {
      const isFunction = first === 'json' || first === 'or';
      const operands = operandsOf(isFunction ? rest : words);
      const fits = operands.length > 0 && (first === 'or' || operands.length === 1);
      if (operands.length !== (isFunction ? rest : words).length || !fits) return { wrong: piece };
      add({ kind: 'value', operands, json: first === 'json' });
    }
  }
  const unclosed = open.at(-1);
  return unclosed === undefined ? root : { wrong: unclosed.piece };
}

/** What the template makes of a record. */
export function templateText(template: Template, record: unknown): string {
  return template
    .map((node): string => {
      if (node.kind === 'text') return node.text;
      if (node.kind === 'if')
        return templateText(isThere(node.operand, record) ? node.matching : node.otherwise, record);
      const operand = node.operands.find((each) => isThere(each, record)) ?? node.operands.at(-1);
      if (operand === undefined) return '';
      if ('text' in operand) return operand.text;
      const values = valuesAt(record, operand.path);
      if (values.length === 0) return NO_VALUE;
      return values.map((value) => valueText(node.json ? JSON.stringify(value) : value)).join(' ');
    })
    .join('');
}

function operandsOf(words: readonly string[]): Operand[] {
  return words.flatMap((word): Operand[] => {
    const text = literalText(word);
    if (text !== undefined) return [{ text }];
    const path = /^[.$]/.test(word) ? parsePath(word) : undefined;
    return path === undefined ? [] : [{ path }];
  });
}

/** Whether Go's templates take it as true. */
function isThere(operand: Operand, record: unknown): boolean {
  if ('text' in operand) return operand.text !== '';
  const [value] = valuesAt(record, operand.path);
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}
