import { MASK } from '../analyze/record/mask.ts';
import { maskField } from '../analyze/record/secret-headers.ts';
import { isSecretEntry } from '../analyze/record/secret-names.ts';
import { maskTarget, maskText } from '../analyze/record/secrets.ts';
import { shellWord } from './shell-word.ts';

/** A comparison of `--where`: a member or a header field, and the text that it is compared with. */
const COMPARED =
  /(?<![\w-])([\w-]+)((?:["'][ \t]{0,8}\])?)([ \t]{0,8}(?:[=!]=[ \t]{0,8}|\.(?:contains|startsWith|endsWith|matches)\([ \t]{0,8}|in[ \t]{0,8}\[))("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)/g;

/**
 * The command as the user typed it, for the reader of a report. Unless secrets are shown, those in it are masked, also texts
 * that `--where` compares a secret with.
 * @param words of the command line, without the program's name
 */
export function typedCommand(words: readonly string[], showSecrets: boolean): string {
  const shown = showSecrets ? words : words.map(maskWord);
  return ['ksnoop', ...shown.map(shellWord)].join(' ');
}

function maskWord(word: string): string {
  const compared = word.replace(COMPARED, (whole, name: string, bracket: string, operator: string, literal: string) => {
    const value = literal.slice(1, literal.endsWith(literal.slice(0, 1)) ? -1 : undefined);
    const isMasked = bracket === '' ? isSecretEntry(name) : maskField(name.toLowerCase(), value) !== value;
    return isMasked ? `${name}${bracket}${operator}"${MASK}"` : whole;
  });
  return maskText(maskTarget(compared));
}
