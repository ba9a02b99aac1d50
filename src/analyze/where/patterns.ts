import { RE2JS } from '@bufbuild/re2';

/** Characters of a regular expression. */
const PATTERN_MAXIMUM = 1000;

/**
 * Steps of a compiled regular expression; a counted repetition has those of what it repeats as often as it counts. Each takes up to
 * 0.1 µs for each character of the text, on agents also for the text of others: `.{1000}` has 1,002, `(a|aa|aaa){1000}` 10,002.
 */
const STEPS_MAXIMUM = 2000;

/**
 * A regular expression of CEL's `matches`: RE2's syntax, found anywhere in the text. Its time is linear in the text
 * whatever the expression, so that no packet can make it hang.
 * @throws Error saying what is wrong with it
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > PATTERN_MAXIMUM) throw new Error(`it is longer than ${PATTERN_MAXIMUM} characters`);
  const compiled = RE2JS.compile(pattern);
  if (compiled.re2().prog.numInst() > STEPS_MAXIMUM) {
    throw new Error(`its repetitions make more than ${STEPS_MAXIMUM} steps of it: use smaller numbers in {…}`);
  }
  return (text) => compiled.test(text);
}
