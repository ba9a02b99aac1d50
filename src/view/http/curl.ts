import type { HttpRequest } from './request.ts';

/** What stands in place of a secret. */
const MASK = '***';
/** Fields that curl makes itself, or that hold for one connection. */
const OWN = new Set(
  'host content-length transfer-encoding connection keep-alive proxy-connection upgrade http2-settings te trailer expect'.split(
    ' ',
  ),
);
/** Nothing of these means anything to a shell. */
const PLAIN = /^[\w./:@%+=,-]+$/;
/** What a terminal might obey, or what ends a line. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/**
 * A command that sends the request again, without its body and without what is a secret; what is left out stands behind it as a
 * comment. The command is one line, for bash and zsh.
 */
export function curlLine({ method, url, target, headers }: HttpRequest): string {
  const words = ['curl', '-sS', '--globoff', '--path-as-is'];
  if (method === 'HEAD') words.push('--head');
  else if (method !== 'GET') words.push('-X', shellWord(method));
  const shown = headers.filter(({ name }) => !OWN.has(name.toLowerCase()));
  const secrets = shown.filter(({ value }) => value.includes(MASK)).map(({ name }) => name);
  for (const { name, value } of shown) {
    // A field without a value is written with a semicolon: with a colon curl leaves it out.
    if (!value.includes(MASK)) words.push('-H', shellWord(value === '' ? `${name};` : `${name}: ${value}`));
  }
  // A Host without the port of the URL goes as it was sent.
  const host = headers.find(({ name }) => name.toLowerCase() === 'host')?.value ?? '';
  if (host !== '' && url.startsWith(`http://${host}:`)) words.push('-H', shellWord(`Host: ${host}`));
  // What follows a `#` curl does not send.
  if (target !== undefined) words.push('--request-target', shellWord(target));
  words.push(shellWord(url.split('#', 1)[0] ?? ''));
  const left = secrets.length > 0 ? [`without ${secrets.join(', ')}`] : [];
  if (url.includes(MASK)) left.push(`${MASK} in the URL is a secret`);
  const body = bodyOf(headers);
  if (body !== undefined) left.push(body);
  return left.length === 0 ? words.join(' ') : `${words.join(' ')} # ${left.join('; ')}`;
}

/** What is to be said of a body: a chunked one may be empty. */
function bodyOf(headers: HttpRequest['headers']): string | undefined {
  const has = (field: string, of: RegExp) =>
    headers.some(({ name, value }) => name.toLowerCase() === field && of.test(value));
  if (has('transfer-encoding', /./)) return 'without a body, if it had one';
  return has('content-length', /[1-9]/) ? 'without its body' : undefined;
}

/** A text as one word of bash or zsh. */
export function shellWord(text: string): string {
  if (PLAIN.test(text)) return text;
  if (!UNSAFE.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const inner = [...text]
    .map((character) => {
      if (character === "'" || character === '\\') return `\\${character}`;
      if (!UNSAFE.test(character)) return character;
      return [...Buffer.from(character, 'utf8')].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
    })
    .join('');
  return `$'${inner}'`;
}
