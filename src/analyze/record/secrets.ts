import { MASK } from './mask.ts';
import { maskShapes } from './secret-shapes.ts';

/** Encodings within encodings that are looked into. */
const NESTING_MAXIMUM = 3;

/** Names of what is a secret wherever it stands: a parameter, a member, a column. */
const ENDINGS =
  'tokens?|secret|passw(?:or)?d|passwd|passphrase|passcode|pwd|api[-_]?key|access[-_]?key|secret[-_]?key|private[-_]?key|account[-_]?key|subscription[-_]?key|functions[-_]?key|encryption[-_]?key|signature|jwt';

/** Query parameters are also called like this. */
const PARAMETER = new RegExp(
  `^(?:[\\w.\\[\\]-]*(?:${ENDINGS}|token_hint|assertion|credentials?|session_?id|sessid|access_?key_?id|verifier|csrf|xsrf|passw(?:or)?d[_-]?(?:confirmation|confirm|hash|repeat)|(?:verification|device|user|reset|confirmation|oob|recovery|activation)_?code)\\]?|(?:[\\w.\\[\\]-]*\\[)?(?:pass|pw|pin|otp|cvv|cvc)\\]?|auth|authorization|bearer|session|sig|code|sid|key|ticket|nonce|saml(?:request|response|art)|wresult|relaystate|hmac|variables)$`,
  'i',
);

/** OAuth's `state` ties an answer to its browser; a short word or a number under this name is the state of something. */
const STATE = /^(?:[\w.[\]-]*\[)?state\]?$/i;
const STATE_OF_A_THING = /^(?:\d{1,6}|(?:[a-z]{1,12}|[A-Z]{1,12}|[A-Z][a-z]{1,11})(?:[-_][A-Za-z]{1,12}){0,3})$/;

/** A parameter behind what begins it: name and value. */
const PAIR = /([?&;#]([^=&;#?\s]+)=)([^&;#\s]*)/g;

/** User and password of a URL, also of one that is the value of a parameter. A URL's scheme is before it. */
const USER_INFO =
  /(?<=[a-z0-9+.-])(:\/\/|%3a%2f%2f)[^\s/?#@%]*(?:(?!%2f|%3f|%23|%40)%[0-9a-f]{2}[^\s/?#@%]*)*(?:@|%40)/gi;

/** A path with its query, a URL, or a header field's value that holds some: the secrets in it masked. */
export function maskTarget(target: string): string {
  return maskShapes(maskParameters(target, 0));
}

function maskParameters(target: string, depth: number): string {
  let text = target;
  if (text.includes('=')) {
    text = text.replace(PAIR, (pair, begin: string, name: string, value: string) => {
      const plain = name.includes('%') ? decoded(name) : name;
      if (PARAMETER.test(plain) || (STATE.test(plain) && value !== '' && !STATE_OF_A_THING.test(value))) {
        return begin + MASK;
      }
      return value.includes('%') || value.includes('{') ? begin + maskNested(value, depth) : pair;
    });
  }
  if (text.includes('k8s.io.')) text = text.replace(SUBPROTOCOL_TOKEN, MASK);
  if (!text.includes('@') && !text.includes('%40')) return text;
  // CONNECT's form is host and port alone.
  return text.replace(USER_INFO, `$1${MASK}@`).replace(/^[^/?#@\s]+@(?=[^/?#@\s]*$)/, `${MASK}@`);
}

/** A parameter's value that is encoded: a URL with its own parameters, JSON. */
function maskNested(value: string, depth: number): string {
  const plain = decoded(value);
  if (depth >= NESTING_MAXIMUM) return value.includes('%25') ? MASK : value;
  // As if it were a query: a form may be encoded as well as a URL.
  const masked = maskText(maskParameters(`?${plain}`, depth + 1).slice(1));
  return masked === plain ? value : encodeURIComponent(masked).replaceAll('%2A', '*');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** Whether a parameter of this name, a form's field or a query's, holds a secret. @param name as sent, percent-encoded or not */
export function isSecretParameter(name: string): boolean {
  return PARAMETER.test(name.includes('%') ? decoded(name) : name);
}

/** Whether a column, a member, a key or an argument of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

const SECRET_NAME = new RegExp(
  `(?:${ENDINGS}|(?:^|[^a-z])(?:pass|pw|pin|otp|cvv))(?:[_-]?(?:hash|hashed|digest|salt|enc|encrypted|plain|value|new|old|\\d{1,3}))?$`,
  'i',
);

/**
 * A named value in a text: `"password": "x"`, `password=x`, `\"token\":\"x\"`. A value that only states whether one exists
 * stays.
 */
const NAMED = new RegExp(
  `((?:${ENDINGS}|(?<![a-z])(?:pass|pw|pin|otp|cvv|cvc))\\\\{0,8}(?:["']|%2[27])?[ \\t\\r\\n]{0,8}(?:=>|:=|[:=]|%3[ad])[ \\t\\r\\n]{0,8})(?!(?:yes|no|true|false|null|none)\\b)(\\\\{1,8}"[^"\\\\]*(?:\\\\{1,8}"|$)?|"(?:[^"\\\\]|\\\\.)*"?|'(?:[^'\\\\]|\\\\.)*'?|\\[[^\\]]*\\]?|\\{[^}]*\\}?|[^\\s,;&"'{}()\\[\\]*][^\\s,;&"'{}()\\[\\]]*)`,
  'gi',
);
/** Members of JSON that are secrets where nothing else is in their names: a key of a list of pairs is masked too. */
const MEMBER =
  /((?:"|\\{1,8}"|%22)(?:key|nonce)(?:"|\\{1,8}"|%22)[ \t\r\n]{0,8}(?::|%3a)[ \t\r\n]{0,8})(?:\\{1,8}"[^"\\]*(?:\\{1,8}"|$)?|"(?:[^"\\]|\\.)*"?|%22(?:(?!%22)[^\s"])*(?:%22)?)/gi;
const AUTHORIZATION =
  /(authorization\\{0,8}["']?[ \t\r\n]{0,8}[:=][ \t\r\n]{0,8}\\{0,8}["']?)(?:[a-z][\w-]{0,30}[ \t\r\n]{1,8})?[^\s,"'{}\\]+/gi;
/** Cookies of a header field in a text. */
const COOKIE = /(cookie2?\\{0,8}["']?[ \t]{0,8}[:=][ \t]{0,8}\\{0,8}["']?)(?=[^\s"';,=]{1,256}=)[^\r\n"'\\]+/gi;
/** The content of an XML element. */
const ELEMENT = new RegExp(`(<[\\w:.-]{0,64}(?:${ENDINGS})(?:\\s[^<>]{0,256})?>)[^<]+`, 'gi');
/** An option of a command line, and what a sentence quotes. */
const OPTION = new RegExp(`((?<![\\w-])--?[\\w-]{0,64}(?:${ENDINGS})[ \\t]{1,8})(?![-\\s])\\S+`, 'gi');
const QUOTED = new RegExp(`((?:${ENDINGS})[ \\t]{1,8})(?:"[^"\\n]+"?|'[^'\\n]+'?)`, 'gi');
/** The credentials of an Authorization field (RFC 9110, section 11.4) without its name; a word of a sentence is none. */
const SCHEME =
  /(?<![a-z])(bearer|basic|negotiate|ntlm|apikey)((?:[ \t]|%20|\+){1,4})(?!(?:realm|error|scope|token|tokens|auth|authentication|authorization|access|credentials?|scheme|is|was|not|plan|of|and|or|in|for|to|with|must|required|missing|invalid|expired)\b)([\w.~+/=:%-]{4,})/gi;
/** In a frame of STOMP it is the rest of the line. */
const PASSCODE = /(passcode:)[^\n\r\0]+/g;
/** The token in a subprotocol that is offered to a Kubernetes API server. */
const SUBPROTOCOL_TOKEN = /(?<=base64url\.bearer\.authorization\.k8s\.io\.)[\w.-]+/g;
const HINT = new RegExp(
  `${ENDINGS}|(?<![a-z])(?:pass|pw|pin|otp|cvv|cvc)(?![a-z])|cookie|authorization|bearer|basic|negotiate|ntlm|:\\/\\/|(?:"|%22)(?:key|nonce)(?:\\\\|"|%22)`,
  'i',
);

/** A text of a body, an error, a statement: named secrets, tokens, and passwords in URLs masked. Linear in the text. */
export function maskText(text: string): string {
  const plain = text.includes('variables') ? withoutContainers(text, VARIABLES) : text;
  if (!HINT.test(plain)) return maskShapes(plain);
  const named = withoutContainers(plain, CONTAINER)
    .replace(AUTHORIZATION, `$1${MASK}`)
    .replace(PASSCODE, `$1${MASK}`)
    .replace(COOKIE, `$1${MASK}`)
    .replace(ELEMENT, `$1${MASK}`)
    .replace(OPTION, `$1${MASK}`)
    .replace(QUOTED, `$1${MASK}`)
    .replace(SCHEME, (whole, scheme: string, gap: string, value: string) =>
      /^bearer$/i.test(scheme) || /[A-Z0-9=_+-]/.test(value) ? `${scheme}${gap}${MASK}` : whole,
    )
    .replace(NAMED, `$1${MASK}`)
    .replace(MEMBER, `$1${MASK}`)
    .replace(USER_INFO, `$1${MASK}@`);
  return maskShapes(named);
}

/** The variables of a GraphQL request: their names are the client's, so none shows what it holds. */
const VARIABLES = /\bvariables(\\{0,8})["']?[ \t\r\n]{0,8}:[ \t\r\n]{0,8}[{]/g;
/** An object or a list under the name of a secret: all in it is secret. */
const CONTAINER = new RegExp(
  `(?:${ENDINGS}|(?<![a-z])(?:pass|pw|pin|otp|cvv|cvc))(\\\\{0,8})["']?[ \\t\\r\\n]{0,8}(?:=>|:=|[:=])[ \\t\\r\\n]{0,8}[[{]`,
  'gi',
);

/** @param pattern ends with the bracket of what is masked up to the bracket that closes it; its group: backslashes before a quote */
function withoutContainers(text: string, pattern: RegExp): string {
  let masked = '';
  let from = 0;
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const begin = pattern.lastIndex - 1;
    masked += text.slice(from, begin) + MASK;
    from = endOfContainer(text, begin, found[1]?.length ?? 0);
    pattern.lastIndex = from;
  }
  return from === 0 ? text : masked + text.slice(from);
}

/**
 * @param escapes backslashes before a quote that begins or ends a string: 0 in JSON, 1 in JSON that is a string of JSON
 * @returns the place behind the bracket that closes the one at `begin`; the text's end where none does
 */
function endOfContainer(text: string, begin: number, escapes: number): number {
  let depth = 0;
  let quoted = false;
  let backslashes = 0;
  for (let at = begin; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '\\') {
      backslashes += 1;
      continue;
    }
    // In a string, backslashes come in pairs, and a quote has one more.
    if (letter === '"' && backslashes % (2 * (escapes + 1)) === escapes) quoted = !quoted;
    backslashes = 0;
    if (quoted) continue;
    if (letter === '{' || letter === '[') depth += 1;
    else if (letter === '}' || letter === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}
