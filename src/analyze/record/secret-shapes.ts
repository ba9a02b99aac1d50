import { MASK } from './mask.ts';

/** Prefixes that providers give their keys and tokens: whatever follows one of them is a secret. */
const PREFIXED =
  /(?<![A-Za-z0-9])(?:A(?:KIA|SIA|IDA|ROA)(?=[A-Z0-9]{12})|AIza|ya29\.|gh[opsur]_|github_pat_|glpat-|gl[a-z]{2,5}-(?=\w{16})|xox[a-z]-|xapp-|sk[-_]|rk_(?=live|test)|pk_(?=live|test)|whsec_|hv[bsr]\.|npm_|pypi-|dop_v1_|dp\.pt\.|SG\.|shp(?:at|ss|ca|pa)_|lin_api_|dckr_pat_|PMAK-|sq0[a-z]{3}-|AGE-SECRET-KEY-|do[or]_v1_|tskey-|rubygems_|sntrys_|pscale_(?:tkn|pw)_|gls[ab]_|CFPAT-|eyJ)[\w.-]{10,}/g;

/** A text without such a run holds nothing that only its shape gives away. */
const LONG_RUN = /[A-Za-z0-9_+~-]{20}/;
const RUN = /[A-Za-z0-9_+~-]{20,}={0,2}/g;
/** Base64 of RFC 4648 section 4 has slashes; a path begins with one. */
const SLASHED_RUN = /[A-Za-z0-9+/]{40,}={0,2}/g;
/** JSON Web Tokens (RFC 7519), and other tokens in parts. A run is looked at from its beginning alone: else its square. */
const DOTTED = /(?<![\w-])[\w-]{8,}(?:\.[\w-]*)+/g;
const TOKEN_START = /(?:^|[^A-Za-z0-9])eyJ/;
/** A digest of content is no secret: `sha256:9f86…`. */
const DIGEST_BEFORE = /sha(?:1|224|256|384|512)[:-]$/i;
/** RFC 7468 and OpenPGP, with header fields where the key is encrypted; and PuTTY's. */
const PRIVATE_KEY =
  /-----BEGIN [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)[\w+/=\s\\:,.-])*(?:-----END [A-Z ]{0,40}-----)?|Private-Lines: \d{1,4}\s{1,4}[\w+/=\s]*(?:-MAC: \w+)?/g;
/** Hashes of passwords as crypt(3), PHC and PostgreSQL write them, behind their salts' names. */
const PASSWORD_HASH =
  /\$(?:2[abxy]?|[156]|y|gy|7|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]{0,20})\$[\w./+$,=*-]{16,}|SCRAM-SHA-\d{1,3}\$[\w+/=:$]+/g;

/** Digits of a long hexadecimal text; a trace id, an MD5 and a key have 32. Shorter ones are ids. */
const LONG_HEX = 32;
/** Characters of a text in one case that letters and digits take turns in. */
const LONG_LOWER = 24;

/**
 * Mask what its shape gives away: JSON Web Tokens, keys with a provider's prefix, private keys, long hexadecimal and base64
 * texts. UUIDs, numbers, short hexadecimal ids and names stay. Its time is linear in the text.
 */
export function maskShapes(text: string): string {
  let masked = text;
  if (masked.includes('eyJ') && masked.includes('.')) masked = masked.replace(DOTTED, withoutToken);
  if (masked.length >= 14) masked = masked.replace(PREFIXED, MASK);
  if (masked.includes('PRIVATE KEY') || masked.includes('Private-')) masked = masked.replace(PRIVATE_KEY, MASK);
  if (masked.includes('$')) masked = masked.replace(PASSWORD_HASH, MASK);
  if (!LONG_RUN.test(masked)) return masked;
  if (masked.includes('/')) masked = masked.replace(SLASHED_RUN, slashed);
  return masked.replace(RUN, run);
}

/** Whether a word of letters, digits and `-_+=~` looks like a key, a token or a password made by a program. */
export function looksSecret(word: string): boolean {
  if (word.length < 20) return false;
  const { upper, lower, digits, turns, letters } = countsOf(word);
  if (upper >= 2 && lower >= 2) {
    const enough = digits >= 2 || (digits === 1 && word.length >= 32);
    if (enough && turns >= letters * 0.35) return true;
    if (word.length >= 40 && turns >= letters * 0.5) return true;
  }
  return word.split(/[^A-Za-z0-9]/).some(isLongPart);
}

function isLongPart(part: string): boolean {
  if (part.length < LONG_LOWER) return false;
  const { upper, lower, digits, turns } = countsOf(part);
  if (digits === 0 || upper + lower === 0) return false;
  if (/^[0-9a-f]+$/i.test(part)) return part.length >= LONG_HEX;
  // A ULID of this century names a thing and a time.
  if (/^01[0-9A-HJKMNP-TV-Z]{24}$/.test(part)) return false;
  return (upper === 0 || lower === 0) && digits >= 3 && turns >= 6;
}

/** Letters and digits by class, and how often the next one is of another class. */
function countsOf(word: string) {
  let upper = 0;
  let lower = 0;
  let digits = 0;
  let turns = 0;
  let before = 0;
  for (let at = 0; at < word.length; at += 1) {
    const code = word.charCodeAt(at);
    let kind = 0;
    if (code >= 0x61 && code <= 0x7a) {
      lower += 1;
      kind = 1;
    } else if (code >= 0x41 && code <= 0x5a) {
      upper += 1;
      kind = 2;
    } else if (code >= 0x30 && code <= 0x39) {
      digits += 1;
      kind = 3;
    }
    if (kind !== 0 && before !== 0 && kind !== before) turns += 1;
    if (kind !== 0) before = kind;
  }
  return { upper, lower, digits, turns, letters: upper + lower + digits };
}

function run(word: string, at: number, text: string): string {
  if (DIGEST_BEFORE.test(text.slice(Math.max(0, at - 8), at))) return word;
  return looksSecret(word) ? MASK : word;
}

function slashed(word: string): string {
  if (word.startsWith('/') || !word.includes('/')) return word;
  const { upper, lower, digits, turns, letters } = countsOf(word);
  return upper >= 3 && lower >= 3 && digits >= 2 && turns >= letters * 0.4 ? MASK : word;
}

function withoutToken(word: string): string {
  const found = TOKEN_START.exec(word);
  if (found === null) return word;
  const at = found.index + found[0].length - 3;
  return word.indexOf('.', at) < 0 ? word : word.slice(0, at) + MASK;
}
