/**
 * What a terminal might obey rather than show: C0 and C1 controls with ESC and DEL, everything of Unicode's format class
 * (bidirectional controls, zero-width and tag characters), line and paragraph separators, lone surrogates.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Nearly all texts: looked at without Unicode's tables. */
const PLAIN = /^[ -~]*$/;

/** Text from the network or the cluster, made fit for a terminal: unsafe characters become `\x1b` or `\u202e`. */
export function sanitise(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
