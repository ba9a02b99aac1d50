import { RE2JS } from '@bufbuild/re2';

/** Characters of a regular expression; RE2 bounds what repetitions make of them. */
const PATTERN_MAXIMUM = 1000;

/**
 * A regular expression of CEL's `matches`: RE2's syntax, found anywhere in the text. Its time is linear in the text
 * whatever the expression, so that no packet can make it hang.
 * @throws Error saying what is wrong with it
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > PATTERN_MAXIMUM) throw new Error(`it is longer than ${PATTERN_MAXIMUM} characters`);
  const compiled = RE2JS.compile(pattern);
  return (text) => compiled.test(text);
}
