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
export function curlLine({ method, url, headers }: HttpRequest): string {
  const words = ['curl', '-sS', '--globoff', '--path-as-is'];
  if (method === 'HEAD') words.push('--head');
  else if (method !== 'GET') words.push('-X', shellWord(method));
  const shown = headers.filter(({ name }) => !OWN.has(name.toLowerCase()));
  const secrets = shown.filter(({ value }) => value.includes(MASK)).map(({ name }) => name);
  for (const { name, value } of shown) {
    // A field without a value is written with a semicolon: with a colon curl leaves it out.
    if (!value.includes(MASK)) words.push('-H', shellWord(value === '' ? `${name};` : `${name}: ${value}`));
  }
  words.push(shellWord(url));
  const left = secrets.length > 0 ? [`without ${secrets.join(', ')}`] : [];
  if (url.includes(MASK)) left.push(`${MASK} in the URL is a secret`);
  if (bodyOf(headers)) left.push('without its body');
  return left.length === 0 ? words.join(' ') : `${words.join(' ')} # ${left.join('; ')}`;
}

function bodyOf(headers: HttpRequest['headers']): boolean {
  return headers.some(({ name, value }) => {
    const field = name.toLowerCase();
    return (field === 'content-length' && value !== '0') || field === 'transfer-encoding';
  });
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
