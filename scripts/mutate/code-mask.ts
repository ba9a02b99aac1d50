/**
 * TypeScript with everything that is no code (comments, strings, regular expressions, the texts of templates) replaced by
 * blanks: places stay as they are.
 */
export function codeOf(source: string): string {
  const out = source.split('');
  const blank = (from: number, to: number) => {
    for (let at = from; at < to; at += 1) if (out[at] !== '\n') out[at] = ' ';
  };
  /** Brackets that were open where a template's `${` began. */
  const templates: number[] = [];
  let depth = 0;
  let last = '';
  for (let at = 0; at < source.length; ) {
    const letter = source[at] as string;
    const end = endOfText(source, at, last);
    if (end > at) {
      blank(at, end);
      // Behind a comment it goes on as before it.
      if (!/^\/[/*]/.test(source.slice(at, at + 2))) last = '"';
      at = end;
      continue;
    }
    if (letter === '`' || (letter === '}' && templates.at(-1) === depth)) {
      if (letter === '}') templates.pop();
      const { stop, opens } = endOfTemplate(source, at + 1);
      blank(at, stop);
      if (opens) templates.push(depth);
      at = stop;
      last = opens ? '(' : '"';
      continue;
    }
    if (letter === '{') depth += 1;
    else if (letter === '}') depth -= 1;
    if (letter.trim() !== '') last = letter;
    at += 1;
  }
  return out.join('');
}

/** @returns the place behind the comment, string or regular expression that begins at `at`; `at` where none does */
function endOfText(source: string, at: number, last: string): number {
  const two = source.slice(at, at + 2);
  if (two === '//') return upTo(source, '\n', at, 0);
  if (two === '/*') return upTo(source, '*/', at + 2, 2);
  const letter = source[at];
  if (letter === "'" || letter === '"') return behind(source, at, letter, false);
  // Behind a value a slash divides.
  if (letter === '/' && !/[\w$)\]"}]/.test(last)) return behind(source, at, '/', true);
  return at;
}

function upTo(source: string, text: string, from: number, more: number): number {
  const found = source.indexOf(text, from);
  return found < 0 ? source.length : found + more;
}

function behind(source: string, from: number, quote: string, pattern: boolean): number {
  let inClass = false;
  for (let at = from + 1; at < source.length; at += 1) {
    const letter = source[at];
    if (letter === '\\') at += 1;
    else if (letter === '\n') return at;
    else if (pattern && letter === '[') inClass = true;
    else if (pattern && letter === ']') inClass = false;
    else if (letter === quote && !inClass) return at + 1;
  }
  return source.length;
}

function endOfTemplate(source: string, from: number): { stop: number; opens: boolean } {
  for (let at = from; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === '`') return { stop: at + 1, opens: false };
    else if (source[at] === '$' && source[at + 1] === '{') return { stop: at + 2, opens: true };
  }
  return { stop: source.length, opens: false };
}
