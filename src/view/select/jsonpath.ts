import { type Path, parsePath, valuesAt } from './path.ts';
import { literalText, valueText } from './value-text.ts';

/** A part of a template: text as it is, or a path. */
type Part = string | { readonly path: Path };

/** `{.src.pod}{"\t"}{.http.path}`, as kubectl's jsonpath; text beside braces stands as it is. @returns the part that is wrong, or the parts */
export function parseJsonPath(text: string): readonly Part[] | { readonly wrong: string } {
  const parts: Part[] = [];
  // A single path without braces is one.
  if (!text.includes('{')) {
    const path = parsePath(/^[.[$]/.test(text) ? text : `.${text}`);
    return path === undefined ? { wrong: text } : [{ path }];
  }
  for (const piece of text.split(/(\{(?:"(?:[^"\\]|\\.)*"|[^{}"])*\})/)) {
    if (piece === '') continue;
    if (!piece.startsWith('{')) {
      if (/[{}]/.test(piece)) return { wrong: piece };
      parts.push(piece);
      continue;
    }
    if (!piece.endsWith('}')) return { wrong: piece };
    const inner = piece.slice(1, -1).trim();
    const literal = literalText(inner);
    const path = literal === undefined && inner !== '' ? parsePath(/^[.[$]/.test(inner) ? inner : '?') : undefined;
    if (literal !== undefined) parts.push(literal);
    else if (path !== undefined) parts.push({ path });
    else return { wrong: piece };
  }
  return parts;
}

/** What the template makes of a record: several values have a space between them, none is nothing. */
export function jsonPathText(parts: readonly Part[], record: unknown): string {
  return parts
    .map((part) => (typeof part === 'string' ? part : valuesAt(record, part.path).map(valueText).join(' ')))
    .join('');
}
