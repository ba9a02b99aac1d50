import { MASK } from './mask.ts';
import { isSecretEntry } from './secret-names.ts';

/** A line of a file of variables: the value lasts up to its end. */
const VARIABLE = /^([ \t]{0,8}(?:export[ \t]{1,8})?([A-Z][A-Z0-9_]{0,127})=)([^\r\n]+)/gm;
const STATES_ONE = /^["']?(?:yes|no|true|false|null|none)?["']?$/i;
/** A line of netrc, and of redis.conf. */
const LOGIN = /((?:login|user|account)[ \t\r\n]{1,8}\S{1,128}[ \t\r\n]{1,8}passw(?:or)?d[ \t\r\n]{1,8})\S+/gi;
const DIRECTIVE = /(?<![\w-])((?:requirepass|masterauth)[ \t]{1,8})(?!(?:is|was|not|and|or)\b)\S+/g;
/** The registry's login in an .npmrc. */
const NPM_AUTH = /(:_auth[ \t]{0,8}=[ \t]{0,8})\S+/g;
/** The login of FTP and of POP3. */
const USER_PASS = /(^USER[ \t]{1,8}[^\r\n]{1,256}\r?\nPASS[ \t]{1,8})[^\r\n]+/gm;
/** An initial response of SASL (RFC 4954, RFC 9051); names of further mechanisms are in capitals. */
const SASL =
  /\b(AUTH(?:ENTICATE)?[ \t]{1,8}(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|SCRAM-SHA-\d{1,3}|CRAM-MD5)[ \t]{1,8})(?=[\w+/]*[a-z=])[\w+/]+=*/g;
/** Options of programs that take a password under a letter. */
const OPTION =
  /(\b(?:docker[ \t]login|podman[ \t]login|sshpass|redis-cli)\b[^\r\n]{0,128}?[ \t]-[pa][ \t]{0,8})[^\s-]\S*/g;
const USER_OPTION = /((?<![\w-])(?:-u|--user)[ \t=]{1,8}["']?[^\s:"'/]{1,64}:)(?!\d+(?:[\s"']|$))[^\s"']+/g;
/** Logins of drivers: Oracle's `thin:user/password@`, and Go's `user:password@tcp(host)`. */
const THIN = /(:thin:[^/\s]{1,64}\/)[^@\s/]+(?=@)/g;
const DATA_SOURCE = /(?<![^\s"'=])([^\s@/:"']{1,64}:)[^\s@/]{1,128}(?=@(?:tcp|unix)\()/g;

/** Mask credentials in lines of files and commands that give them away by their form. Linear in the text. */
export function maskCredentials(text: string): string {
  let masked = text;
  if (masked.includes('='))
    masked = masked.replace(VARIABLE, (whole, begin: string, name: string, value: string) =>
      isSecretEntry(name) && !STATES_ONE.test(value.trim()) ? begin + MASK : whole,
    );
  if (masked.includes(':_auth')) masked = masked.replace(NPM_AUTH, `$1${MASK}`);
  if (/passw(?:or)?d[ \t\r\n]/i.test(masked)) masked = masked.replace(LOGIN, `$1${MASK}`);
  if (/requirepass|masterauth/.test(masked)) masked = masked.replace(DIRECTIVE, `$1${MASK}`);
  if (/^PASS /m.test(masked)) masked = masked.replace(USER_PASS, `$1${MASK}`);
  if (masked.includes('AUTH')) masked = masked.replace(SASL, `$1${MASK}`);
  if (/ -[pau]|--user/.test(masked)) masked = masked.replace(OPTION, `$1${MASK}`).replace(USER_OPTION, `$1${MASK}`);
  if (!masked.includes('@')) return masked;
  if (masked.includes(':thin:')) masked = masked.replace(THIN, `$1${MASK}`);
  return /@(?:tcp|unix)\(/.test(masked) ? masked.replace(DATA_SOURCE, `$1${MASK}`) : masked;
}
