import { type Path, parsePath, valuesAt } from './path.ts';
import { literalText, valueText } from './value-text.ts';

/** A part of a template: text as it is, a path, or parts for each value at a path. */
type Part = string | { readonly path: Path } | { readonly range: Path; readonly parts: readonly Part[] };

/** Ranges within ranges. */
const DEPTH_MAXIMUM = 8;

const PIECES = /(\{(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^{}"'])*\})/;

/**
 * `{.src.pod}{"\t"}{.http.path}`, `{range .dns.answers[*]}{.data}{"\n"}{end}`, as kubectl's jsonpath; text beside braces stands
 * as it is. @returns the part that is wrong, or the parts
 */
export function parseJsonPath(text: string): readonly Part[] | { readonly wrong: string } {
  const root: Part[] = [];
  const open: { readonly piece: string; readonly parts: Part[] }[] = [];
  // A single path without braces is one.
  if (!text.includes('{')) {
    const path = parsePath(/^[.[$]/.test(text) ? text : `.${text}`);
    return path === undefined ? { wrong: text } : [{ path }];
  }
  for (const piece of text.split(PIECES)) {
    if (piece === '') continue;
    const parts = open.at(-1)?.parts ?? root;
    if (!piece.startsWith('{')) {
      if (/[{}]/.test(piece)) return { wrong: piece };
      parts.push(piece);
      continue;
    }
    if (!piece.endsWith('}')) return { wrong: piece };
    const inner = piece.slice(1, -1).trim();
    if (inner === 'end') {
      if (open.pop() === undefined) return { wrong: piece };
      continue;
    }
    const literal = literalText(inner);
    if (literal !== undefined) {
      parts.push(literal);
      continue;
    }
    const [, range, where = ''] = /^(range\s+)?(.*)$/s.exec(inner) ?? [];
    const path = /^[.[$@]/.test(where) ? parsePath(where) : undefined;
    if (path === undefined) return { wrong: piece };
    if (range === undefined) parts.push({ path });
    else {
      if (open.length >= DEPTH_MAXIMUM) return { wrong: piece };
      const within: Part[] = [];
      parts.push({ range: path, parts: within });
      open.push({ piece, parts: within });
    }
  }
  const unclosed = open.at(-1);
  return unclosed === undefined ? root : { wrong: unclosed.piece };
}

/** What the template makes of a record: several values have a space between them, none is nothing. Within a range `$` and `@` are its value. */
export function jsonPathText(parts: readonly Part[], record: unknown): string {
  return parts
    .map((part): string => {
      if (typeof part === 'string') return part;
      if ('path' in part) return valuesAt(record, part.path).map(valueText).join(' ');
      return valuesAt(record, part.range)
        .map((value) => jsonPathText(part.parts, value))
        .join('');
    })
    .join('');
}
