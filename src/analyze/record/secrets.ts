/** What stands where a secret stood (`--show-secrets` shows it). */
export const MASK = '***';

/** Header fields whose values are secrets, by the last words of their names: `cookie`, `x-vault-token`, `x-goog-api-key`. */
const SECRET_HEADER =
  /(?:^|[-_.])(?:authorization|(?:set-)?cookie2?|tokens?|secret|passw(?:or)?d|api-?key|access-?key|secret-?key|private-?key|auth(?:-key)?|jwt|credentials?|assertion)(?:-bin)?$/;

/** Fields that hold no secret although their names end like it. */
const OPEN_HEADERS: ReadonlySet<string> = new Set(['access-control-allow-credentials']);

/** Whether the values of a header field, or of a call's metadata, are secrets. @param name in lower case */
function isSecretHeader(name: string): boolean {
  return SECRET_HEADER.test(name) && !OPEN_HEADERS.has(name);
}

/** A header field's value, masked where it is a secret or holds one. @param name in lower case */
export function maskField(name: string, value: string): string {
  if (isSecretHeader(name)) return MASK;
  return maskText(maskTarget(value));
}

/** Names of what is a secret wherever it stands: a parameter, a member, a column. */
const ENDINGS =
  'tokens?|secret|passw(?:or)?d|passphrase|pwd|api[-_]?key|access[-_]?key|secret[-_]?key|private[-_]?key|signature|jwt';

/** Query parameters are also called like this. */
const PARAMETER = new RegExp(
  `^(?:[\\w.\\[\\]-]*(?:${ENDINGS}|token_hint|assertion|credentials?|session_?id|sessid)\\]?|pass|auth|sig|code|sid)$`,
  'i',
);

/** A target without any of these has no secret parameter: a quick test for every request. */
const PARAMETER_HINT = /tok|secr|pass|pwd|key|sig|jwt|asser|cred|sess|auth|code|sid|%/i;

/** A parameter behind what begins it: name and value. */
const PAIR = /([?&;#]([^=&;#?\s]+)=)([^&;#\s]*)/g;

/** User and password of a URL, also of one that is the value of a parameter. */
const USER_INFO =
  /([a-z][a-z0-9+.-]*(?::\/\/|%3a%2f%2f))[^\s/?#@%]*(?:(?!%2f|%3f|%23|%40)%[0-9a-f]{2}[^\s/?#@%]*)*(?:@|%40)/gi;

/** A path with its query, a URL, or a header field's value that holds some: the secrets in it masked. */
export function maskTarget(target: string): string {
  let text = target;
  if (text.includes('=') && PARAMETER_HINT.test(text)) text = text.replace(PAIR, maskedPair);
  if (text.includes('eyJ') || text.includes('base64url.')) text = text.replace(TOKEN, MASK);
  if (!text.includes('@') && !text.includes('%40')) return text;
  // CONNECT's form is host and port alone.
  return text.replace(USER_INFO, `$1${MASK}@`).replace(/^[^/?#@\s]+@(?=[^/?#@\s]*$)/, `${MASK}@`);
}

function maskedPair(pair: string, begin: string, name: string): string {
  return PARAMETER.test(name.includes('%') ? decoded(name) : name) ? begin + MASK : pair;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Whether a column, a member, a key or an argument of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

const SECRET_NAME = new RegExp(`(?:^|[^a-z]|[a-z])(?:${ENDINGS})$`, 'i');

/** A named value in a text: `"password": "x"`, `password=x`. A value that only states whether one exists stays. */
const NAMED = new RegExp(
  `((?:${ENDINGS})["']?\\s*(?:=>|[:=]|%3[ad])\\s*)(?!(?:yes|no|true|false|null|none)\\b)("(?:[^"\\\\]|\\\\.)*"?|'(?:[^'\\\\]|\\\\.)*'?|[^\\s,;&"'{}()\\[\\]*][^\\s,;&"'{}()\\[\\]]*)`,
  'gi',
);
const AUTHORIZATION = /(authorization["']?\s*[:=]\s*["']?)(?:(?:basic|bearer|digest|negotiate|token)\s+)?[^\s,"'{}]+/gi;
/** A JSON Web Token; and the token in a subprotocol that is offered to a Kubernetes API server. */
const TOKEN = /\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)*|(?<=base64url\.bearer\.authorization\.k8s\.io\.)[\w.-]+/g;
const HINT = new RegExp(`${ENDINGS}|eyJ|authorization|:\\/\\/`, 'i');

/** A text of a body, an error, a statement: named secrets, tokens, and passwords in URLs masked. */
export function maskText(text: string): string {
  if (!HINT.test(text)) return text;
  return text
    .replace(TOKEN, MASK)
    .replace(AUTHORIZATION, `$1${MASK}`)
    .replace(NAMED, `$1${MASK}`)
    .replace(USER_INFO, `$1${MASK}@`);
}
