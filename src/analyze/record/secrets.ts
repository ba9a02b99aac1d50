import { maskCredentials } from './credential-lines.ts';
import { withoutEscapes } from './escaped-text.ts';
import { holdsSecret, maskSecretData } from './kubernetes-secret.ts';
import { MASK } from './mask.ts';
import { maskNamedValues } from './named-values.ts';
import { withoutContainers } from './secret-containers.ts';
import { decoded, ENDINGS, isSecretParameter } from './secret-names.ts';
import { maskShapes } from './secret-shapes.ts';
import { maskAttributes } from './xml-attributes.ts';
import { maskYaml } from './yaml-secrets.ts';

/** Encodings within encodings that are looked into. */
const NESTING_MAXIMUM = 3;

/** OAuth's `state` ties an answer to its browser; a short word or a number under this name is the state of something. */
const STATE = /^(?:[\w.[\]-]*\[)?state\]?$/i;
const STATE_OF_A_THING = /^(?:\d{1,6}|(?:[a-z]{1,12}|[A-Z]{1,12}|[A-Z][a-z]{1,11})(?:[-_][A-Za-z]{1,12}){0,3})$/;

/** A parameter behind what begins it: name and value. */
const PAIR = /([?&;#]([^=&;#?\s]+)=)([^&;#\s]*)/g;

/** User and password of a URL, also of one that is the value of a parameter. A URL's scheme is before it. */
const USER_INFO =
  /(?<=[a-z0-9+.-])(:\/\/|%3a%2f%2f)[^\s/?#@%]*(?:(?!%2f|%3f|%23|%40)%[0-9a-f]{2}[^\s/?#@%]*)*(?:@|%40)/gi;

/** User and password of an authority alone. An address of mail has no password. */
const AUTHORITY = /^(?!mailto:)[^/?#@\s:"'{}<>,;=]*:[^/?#@\s]*@(?=[^/?#@\s]*$)/;

/** What follows the name of a secret in a path, where it is no word: `/token/k3j2`. */
const SEGMENT =
  /((?:^|\/)(?:[\w-]{0,32}[-_])?(?:token|password|passwd|api-?key)\/)(?!v\d{1,3}(?:[/?#]|$)|\d+(?:[/?#]|$))(?=[^/?#\s]*\d)[^/?#\s]+/gi;
const SEGMENT_HINT = /(?:token|password|passwd|key)\//i;

/** A path with its query, a URL, or a header field's value that holds some: the secrets in it masked. */
export function maskTarget(target: string): string {
  const plain = SEGMENT_HINT.test(target) ? target.replace(SEGMENT, `$1${MASK}`) : target;
  return maskShapes(maskParameters(plain, 0));
}

const EQUALS = 0x3d;

/**
 * Whether a parameter of a text may have to be masked: one has a secret's name, or something encoded. Nearly all texts have none,
 * and looking costs a fraction of replacing.
 */
function mayMaskParameter(text: string): boolean {
  let at = text.indexOf('=');
  if (at < 0) return false;
  if (text.includes('%') || text.includes('{')) return true;
  for (; at >= 0; at = text.indexOf('=', at + 1)) {
    let from = at;
    for (; from > 0; from -= 1) {
      const code = text.charCodeAt(from - 1);
      // Blanks are not ASCII alone.
      if (code > 0x7e) return true;
      if (code <= 0x20 || code === EQUALS || BEGINS.includes(code)) break;
    }
    if (from === at) continue;
    const name = text.slice(from, at);
    if (isSecretParameter(name) || STATE.test(name)) return true;
  }
  return false;
}

/** What begins a parameter, and ends the one before: `?`, `&`, `;`, `#`. */
const BEGINS: readonly number[] = [0x3f, 0x26, 0x3b, 0x23];

function maskParameters(target: string, depth: number): string {
  let text = target;
  if (mayMaskParameter(text)) {
    text = text.replace(PAIR, (pair, begin: string, name: string, value: string) => {
      const plain = name.includes('%') ? decoded(name) : name;
      if (isSecretParameter(plain) || (STATE.test(plain) && value !== '' && !STATE_OF_A_THING.test(value))) {
        return begin + MASK;
      }
      return value.includes('%') || value.includes('{') ? begin + maskNested(value, depth) : pair;
    });
  }
  if (text.includes('k8s.io.')) text = text.replace(SUBPROTOCOL_TOKEN, MASK);
  if (!text.includes('@') && !text.includes('%40')) return text;
  // CONNECT's form is host and port alone.
  return text.replace(USER_INFO, `$1${MASK}@`).replace(AUTHORITY, `${MASK}@`);
}

/** A parameter's value that is encoded: a URL with its own parameters, JSON. */
function maskNested(value: string, depth: number): string {
  const plain = decoded(value);
  if (depth >= NESTING_MAXIMUM) return value.includes('%25') ? MASK : value;
  // As if it were a query: a form may be encoded as well as a URL.
  const masked = maskText(maskParameters(`?${plain}`, depth + 1).slice(1));
  return masked === plain ? value : encodeURIComponent(masked).replaceAll('%2A', '*');
}

/**
 * A named value in a text: `"password": "x"`, `password=x`, `\"token\":\"x\"`. A value that only states whether one exists
 * stays.
 */
const NAMED = new RegExp(
  `((?:${ENDINGS}|(?<![a-z])(?:pass|pw|pin|otp|cvv|cvc))\\\\{0,8}(?:["']|%2[27])?[ \\t\\r\\n]{0,8}(?:=>|:=|::(?=[ \\t])|[:=]|%3[ad])[ \\t\\r\\n]{0,8})(?!(?:yes|no|true|false|null|none)\\b|(?<=\\n[ \\t]{0,8})[\\w.-]{1,64}:(?:\\s|$))(\\\\{1,8}"[^"\\\\]*(?:\\\\{1,8}"|$)?|"(?:[^"\\\\]|\\\\.)*"?|'(?:[^'\\\\]|\\\\.)*'?|\\[[^\\]]*\\]?|\\{[^}]*\\}?|[^\\s,;&"'{}()\\[\\]*][^\\s,;&"'{}()\\[\\]]*)`,
  'gi',
);
/** Members of JSON that are secrets where nothing else is in their names; what a list of pairs calls a value is none. */
const MEMBER =
  /((?:"|\\{1,8}"|%22)(?:key|nonce|auth|bearer|assertion|credentials?|cookie|(?:\w{1,32}[-_])?session[-_]?id|mnemonic|seed[-_]?phrase|\.docker(?:configjson|cfg))(?:"|\\{1,8}"|%22)[ \t\r\n]{0,8}(?::|%3a)[ \t\r\n]{0,8})(?!\\{0,8}"(?:(?:none|basic|bearer|oauth2?|digest|include|omit|same-origin)\\{0,8}"|[^"\\]{0,256}\\{0,8}"[ \t\r\n]{0,8},[ \t\r\n]{0,8}\\{0,8}"value\\{0,8}"))(?:\\{1,8}"[^"\\]*(?:\\{1,8}"|$)?|"(?:[^"\\]|\\.)*"?|%22(?:(?!%22)[^\s"])*(?:%22)?)/gi;
const AUTHORIZATION =
  /(authorization\\{0,8}["']?[ \t\r\n]{0,8}[:=][ \t\r\n]{0,8}\\{0,8}["']?)(?:[a-z][\w-]{0,30}[ \t\r\n]{1,8})?[^\s,"'{}\\]+/gi;
/** Cookies of a header field in a text. */
const COOKIE = /(cookie2?\\{0,8}["']?[ \t]{0,8}[:=][ \t]{0,8}\\{0,8}["']?)(?=[^\s"';,=]{1,256}=)[^\r\n"'\\]+/gi;
/** The content of an XML element. */
const ELEMENT = new RegExp(
  `(<[\\w:.-]{0,64}(?:${ENDINGS})(?:\\s[^<>]{0,256})?>)(?:<!\\[CDATA\\[[^\\]]*(?:\\]\\]>)?|[^<]+)`,
  'gi',
);
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
  `${ENDINGS}|(?<![a-z])(?:pass|pw|pin|otp|cvv|cvc)(?![a-z])|cookie|authorization|bearer|basic|negotiate|ntlm|:\\/\\/|(?:"|%22)(?:key|nonce|auth|assertion)(?:\\\\|"|%22)|credential|session[-_]?id|mnemonic|seed[-_]?phrase|dockerc|stringData`,
  'i',
);

/** A text of a body, an error, a statement: named secrets, tokens, and passwords in URLs masked. Linear in the text. */
export function maskText(text: string): string {
  const masked = maskWritten(text);
  const plain = withoutEscapes(masked);
  if (plain === masked) return masked;
  // What is masked may hide behind escapes; without it the text stays as it was written.
  const twice = maskWritten(plain);
  return twice === plain ? masked : twice;
}

function maskWritten(text: string): string {
  const lines = maskCredentials(text.includes('variables') ? withoutContainers(text, VARIABLES) : text);
  const plain = maskAttributes(lines);
  const isSecret = holdsSecret(plain);
  if (!isSecret && !HINT.test(plain)) return maskShapes(plain);
  const structured = maskYaml(maskNamedValues(maskSecretData(plain, isSecret)), isSecret);
  const named = withoutContainers(structured, CONTAINER)
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
/** An object or a list under the name of a secret: all in it is secret, unless it only names a Secret of Kubernetes. */
const CONTAINER = new RegExp(
  `(?:${ENDINGS}|secrets(?=[^\\w,]{0,20}[{])|["']credentials?(?=["'\\\\])|(?<![a-z])(?:pass|pw|pin|otp|cvv|cvc))(\\\\{0,8})["']?[ \\t\\r\\n]{0,8}(?:=>|:=|[:=])[ \\t\\r\\n]{0,8}(?![{][ \\t\\r\\n]{0,64}\\\\{0,8}"(?:secretName|defaultMode|optional)\\\\{0,8}")[[{]`,
  'gi',
);
