import { MASK } from './mask.ts';

/**
 * The text with MASK in place of lists and objects.
 * @param pattern ends with the bracket of what is masked up to the bracket that closes it; its group: backslashes before a quote
 */
export function withoutContainers(text: string, pattern: RegExp): string {
  let masked = '';
  let from = 0;
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const begin = pattern.lastIndex - 1;
    masked += text.slice(from, begin) + MASK;
    from = endOfContainer(text, begin, found[1]?.length ?? 0);
    pattern.lastIndex = from;
  }
  return from === 0 ? text : masked + text.slice(from);
}

/**
 * @param escapes backslashes before a quote that begins or ends a string: 0 in JSON, 1 in JSON that is a string of JSON
 * @returns the place behind the bracket that closes the one at `begin`; the text's end where none does
 */
function endOfContainer(text: string, begin: number, escapes: number): number {
  let depth = 0;
  let quoted = false;
  let backslashes = 0;
  for (let at = begin; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '\\') {
      backslashes += 1;
      continue;
    }
    // In a string, backslashes come in pairs, and a quote has one more.
    if (letter === '"' && backslashes % (2 * (escapes + 1)) === escapes) quoted = !quoted;
    backslashes = 0;
    if (quoted) continue;
    if (letter === '{' || letter === '[') depth += 1;
    else if (letter === '}' || letter === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}
