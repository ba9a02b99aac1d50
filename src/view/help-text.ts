import type { Colours } from './colour.ts';

/** A page of help, as src/cli/help has it. */
export interface HelpPage {
  readonly name: string;
  readonly summary: string;
  readonly sections: readonly { readonly title: string; readonly parts: readonly HelpPart[] }[];
}

export type HelpPart =
  | { readonly text: string }
  | { readonly lines: readonly string[] }
  | { readonly terms: readonly (readonly [term: string, meaning: string])[] };

const INDENT = '  ';
/** Longer lines are hard to read, on however wide a screen. */
const WIDEST = 100;
/** A term longer than this stands on a separate line. */
const TERM_MAXIMUM = 28;

/** @param width columns of the terminal */
export function helpLines(page: HelpPage, width: number, colours: Colours): string[] {
  const columns = Math.max(40, Math.min(width, WIDEST));
  return page.sections.flatMap(({ title, parts }, index) => [
    ...(index === 0 ? [] : ['']),
    colours.heading(title),
    ...parts.flatMap((part, place) => [...(place === 0 ? [] : ['']), ...partLines(part, columns)]),
  ]);
}

function partLines(part: HelpPart, columns: number): string[] {
  if ('text' in part) return wrapped(part.text, columns - INDENT.length).map((line) => INDENT + line);
  if ('lines' in part) return part.lines.map((line) => INDENT + INDENT + line);
  const width = Math.min(TERM_MAXIMUM, Math.max(...part.terms.map(([term]) => term.length)));
  const margin = INDENT.length + width + 2;
  return part.terms.flatMap(([term, meaning]) => {
    const [first = '', ...rest] = wrapped(meaning, columns - margin);
    const hanging = rest.map((line) => ' '.repeat(margin) + line);
    if (term.length <= width) return [`${INDENT}${term.padEnd(width)}  ${first}`.trimEnd(), ...hanging];
    return [INDENT + term, `${' '.repeat(margin)}${first}`, ...hanging];
  });
}

/** A text in lines of at most so many characters, broken between words; a longer word has a separate line. */
export function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => wrappedParagraph(paragraph, width));
}

function wrappedParagraph(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
