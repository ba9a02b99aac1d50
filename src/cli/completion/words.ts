/** What ends one command of a line and begins another. */
const SEPARATOR = /^(?:\|\||&&|\|&|[|;&()\n])/;

/**
 * The words of the command that is being typed, after its name, the last of them unfinished (perhaps empty). Quotes and
 * backslashes are understood, nothing is expanded or run: what is typed may be half of anything.
 * @param line up to the cursor
 */
export function wordsOf(line: string, name: string): string[] {
  let words: string[] = [];
  let word = '';
  let begun = false;
  let quote = '';
  const finish = () => {
    if (begun) words.push(word);
    word = '';
    begun = false;
  };
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    if (quote !== '') {
      if (character === quote) quote = '';
      else if (character === '\\' && quote === '"' && at + 1 < line.length) word += line[++at];
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      begun = true;
    } else if (character === '\\' && at + 1 < line.length) {
      word += line[++at];
      begun = true;
    } else if (character === ' ' || character === '\t') {
      finish();
    } else {
      const separator = SEPARATOR.exec(line.slice(at))?.[0];
      if (separator === undefined) {
        word += character;
        begun = true;
      } else {
        finish();
        words = [];
        at += separator.length - 1;
      }
    }
  }
  words.push(word);
  const start = words.findIndex((candidate) => candidate === name || candidate.endsWith(`/${name}`));
  return words.slice(start + 1);
}

/** Whether the line ends within quotes: Bash then replaces all that stands behind the opening one. */
export function endsInQuotes(line: string): boolean {
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    if (character === '\\' && quote !== "'") at++;
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
  }
  return quote !== '';
}

/** The words of a shell that hands over the last one with the quote that opens it; at least one word. */
export function withoutOpenQuote(words: readonly string[]): readonly string[] {
  const last = words.at(-1) ?? '';
  return [...words.slice(0, -1), /^["']/.test(last) && endsInQuotes(last) ? last.slice(1) : last];
}

/** Bash replaces only what stands after the last of these in a word (readline's word breaks). */
export function keptByBash(word: string, breaks: string): number {
  for (let at = word.length; at > 0; at--) if (breaks.includes(word[at - 1] ?? '')) return at;
  return 0;
}
