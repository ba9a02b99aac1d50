import { MASK } from './mask.ts';
import { isSecretParameter } from './secret-names.ts';
import { maskTarget, maskText } from './secrets.ts';

/** Error codes of RFC 6750, 9449 and 9470, schemes' algorithms and other words that challenges have (RFC 7616, 7617). */
const WORDS: ReadonlySet<string> = new Set(
  (
    'invalid_request invalid_token insufficient_scope insufficient_user_authentication invalid_dpop_proof use_dpop_nonce ' +
    'invalid_client invalid_grant unauthorized_client access_denied server_error temporarily_unavailable ' +
    'true false utf-8 md5 md5-sess sha-256 sha-256-sess sha-512-256 sha-512-256-sess auth auth-int ' +
    'es256 es384 es512 rs256 rs384 rs512 ps256 ps384 ps512 eddsa'
  ).split(' '),
);
/** Parameters whose values are texts or URLs for whoever is refused: shown, with the secrets in them masked. */
const TEXTS: ReadonlySet<string> = new Set(
  'realm scope service domain title error_description error_uri resource resource_metadata acr_values authorization_uri'.split(
    ' ',
  ),
);
const NUMBER = /^\d{1,9}$/;

/** A scheme with what it asks to be sent back: `Negotiate oYG2`. */
const TOKEN = /((?:^|,)[ \t]{0,8}[\w-]{1,32}[ \t]{1,8})(?!\*\*\*)[\w.~+/-]+=*(?=[ \t]{0,8}(?:,|$))/g;
const PARAMETER = /(?<![\w.*-])([\w.*-]+)([ \t]{0,8}=[ \t]{0,8})(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]+))/g;

/**
 * The challenges of a server (RFC 9110, section 11.6.1): realms and texts stay, of other parameters known words and numbers.
 * Linear in the text.
 */
export function maskChallenges(value: string): string {
  const masked = value
    .replace(TOKEN, `$1${MASK}`)
    .replace(PARAMETER, (whole, name: string, equals: string, quoted: string | undefined, word: string | undefined) => {
      const text = quoted ?? word ?? '';
      const isNumber = NUMBER.test(text) && !isSecretParameter(name);
      if (TEXTS.has(name.toLowerCase()) || isNumber || text === '' || text === MASK) return whole;
      if (text.toLowerCase().split(/[ ,]+/).every(isWord)) return whole;
      return quoted === undefined ? `${name}${equals}${MASK}` : `${name}${equals}"${MASK}"`;
    });
  return maskText(maskTarget(masked));
}

function isWord(text: string): boolean {
  return WORDS.has(text);
}
