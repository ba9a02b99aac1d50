/** What ends the names of secrets wherever they stand: of parameters, members, columns. Counts (`max_tokens: 12`) are none. */
export const ENDINGS =
  'token|tokens(?!\\\\{0,8}["\']?[ \\t]{0,8}[:=][ \\t]{0,8}\\d{1,9}\\b)|secret(?:[-_]?(?:string|binary|value|key[-_]?base))?|passw(?:or)?d(?:[-_]?(?:confirmation|confirm|repeat))?|passwd|passphrase|passcode|pwd|(?:api|app|application|access|secret|private|account|subscription|functions|encryption|decryption|signing|master|unseal|consumer|session|license|stripe|webhook|hmac|aes)[-_]?keys?|access[-_]?key[-_]?id|client[-_]?key[-_]?data|signature(?:[-_]?value)?|jwt|totp|(?:mfa|otp|recovery|backup)[-_]?codes?|client[-_]?assertion';

/** Query parameters are also called like this. */
const PARAMETER = new RegExp(
  `^(?:[\\w.\\[\\]-]*(?:${ENDINGS}|token_hint|assertion|credentials?|session_?id|sessid|access_?key_?id|verifier|csrf|xsrf|passw(?:or)?d[_-]?(?:confirmation|confirm|hash|repeat)|(?:verification|device|user|reset|confirmation|oob|recovery|activation)_?code)\\]?|(?:[\\w.\\[\\]-]*\\[)?(?:pass|pw|pin|otp|cvv|cvc)\\]?|auth|authorization|bearer|session|sig|code|sid|key|ticket|nonce|saml(?:request|response|art)|wresult|relaystate|hmac|variables)$`,
  'i',
);

/** A percent-encoded text, decoded where it can be. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** A list's elements: `password[]`, `token[0]`. */
const ELEMENTS = /(?<!\[\d{0,9}\])(?:\[\d{0,9}\])+$/;

/** Whether a parameter of this name, a form's field or a query's, holds a secret. @param name as sent, percent-encoded or not */
export function isSecretParameter(name: string): boolean {
  return PARAMETER.test((name.includes('%') ? decoded(name) : name).replace(ELEMENTS, ''));
}

/** Whether a column, a member, a key or an argument of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

const SECRET_NAME = new RegExp(
  `(?:${ENDINGS}|(?:^|[^a-z])(?:pass|pw|pin|otp|cvv))(?:[_-]?(?:hash|hashed|digest|salt|enc|encrypted|plain|value|new|old|\\d{1,3}))?$`,
  'i',
);

/** Names of header fields whose values are secrets. */
const FIELD_NAME = /(?:^|[-_.])(?:authorization|cookie2?|credentials?|auth)$/i;

/** Names of environment variables that end in KEY are secrets, but for keys of tables and of the public. */
const VARIABLE_KEY = /^(?:[A-Z0-9]+_)*(?!PUBLIC|PRIMARY|FOREIGN|PARTITION|SORT|ROUTING|CACHE|INDEX|HOT)[A-Z0-9]+_KEY$/;

/** Whether what a list of names and values has under this name is a secret: of variables, settings, header fields, paths. */
export function isSecretEntry(name: string): boolean {
  return isSecretName(name) || FIELD_NAME.test(name) || VARIABLE_KEY.test(name);
}
