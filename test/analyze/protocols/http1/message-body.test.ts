import { brotliCompressSync, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BODY_BYTES } from '../../../../src/analyze/limits.ts';
import { Bodies, MessageBody } from '../../../../src/analyze/protocols/http1/message-body.ts';

interface Options {
  readonly type?: string;
  readonly encoding?: string;
  readonly bodies?: Bodies;
}

function bodyOf(
  content: string | Uint8Array,
  { type = 'text/plain', encoding = '', bodies = new Bodies(false) }: Options = {},
) {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const body = new MessageBody(bodies, type, encoding);
  for (let at = 0; at < bytes.length; at += 1000) body.take(bytes, at, Math.min(bytes.length, at + 1000));
  return body;
}

describe('a body', () => {
  const text = `{"reason":"no stock","detail":"${'ä'.repeat(300)}"}`;

  it.each([
    ['', Buffer.from(text)],
    ['identity', Buffer.from(text)],
    ['gzip', gzipSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['x-gzip', gzipSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['Deflate ,identity,GZIP', gzipSync(deflateRawSync(text))],
  ])('in the coding "%s" is its text', (encoding, bytes) => {
    expect(bodyOf(bytes, { type: 'application/json', encoding }).end()).toEqual({ text, note: undefined });
  });

  it.each([
    ['text/plain; charset=ISO-8859-1', Buffer.from('caf\u00e9', 'latin1'), 'caf\u00e9'],
    ['text/plain;charset="windows-1252"', Uint8Array.of(0x80, 0x35), '\u20ac5'],
    ['application/xml; q=1; charset=utf-16be', Buffer.from('caf\u00e9', 'utf16le').swap16(), 'caf\u00e9'],
    ['text/plain; charset=Shift_JIS', Uint8Array.of(0x93, 0xfa, 0x96, 0x7b), '日本'],
    ['text/plain', Buffer.from('\ufeffcaf\u00e9', 'utf16le'), 'caf\u00e9'],
    ['', Buffer.from('\ufeffcaf\u00e9', 'utf16le').swap16(), 'caf\u00e9'],
    ['text/plain; charset=no-such-charset', Buffer.from('caf\u00e9'), 'caf\u00e9'],
    ['text/plain; charset=utf-8', Buffer.from('caf\u00e9'), 'caf\u00e9'],
  ])('of type "%s" is read in its charset', (type, bytes, expected) => {
    expect(bodyOf(bytes, { type }).end()).toEqual({ text: expected, note: undefined });
  });

  it('hides its secrets in any charset', () => {
    const form = Buffer.from('name=caf\u00e9&password=hush', 'utf16le');
    const { text: shown } = bodyOf(form, { type: 'application/x-www-form-urlencoded; charset=utf-16le' }).end();
    expect(shown).toContain('caf\u00e9');
    expect(shown).not.toContain('hush');
  });

  it('has no text where more codings are said to be in it than anybody applies, or one of them is not known', () => {
    expect(bodyOf('x', { encoding: 'gzip,'.repeat(50) }).end().note).toMatch(/^cannot be decompressed/);
    expect(bodyOf(gzipSync('x'), { encoding: 'compress, gzip' }).end().note).toMatch(/^cannot be decompressed/);
    expect(bodyOf('plain', { encoding: 'identity, identity' }).end().text).toBe('plain');
  });

  it('that goes on when its exchange ends says so', () => {
    const body = bodyOf('first ');
    body.stop();
    expect(body.end()).toEqual({ text: 'first ', note: 'not complete when the exchange ended' });
  });

  it('that is longer than what is kept is its first 16 KiB, and says so', () => {
    const { text: kept, note } = bodyOf('é'.repeat(BODY_BYTES)).end();
    expect(Buffer.byteLength(kept ?? '')).toBeLessThanOrEqual(BODY_BYTES);
    expect(kept).toBe('é'.repeat(BODY_BYTES / 2));
    expect(note).toBe('the first 16 KiB');
    expect(bodyOf(`x${'é'.repeat(BODY_BYTES)}`).end().text).toBe(`x${'é'.repeat(BODY_BYTES / 2 - 1)}`);
  });

  it('of which bytes were not captured ends before them', () => {
    const body = bodyOf('first ');
    body.cut();
    body.take(Buffer.from('last'), 0, 4);
    expect(body.end()).toEqual({ text: 'first ', note: 'the rest was not captured' });
    const missing = bodyOf('');
    missing.cut();
    expect(missing.end()).toEqual({ text: undefined, note: 'not captured' });
  });

  it('that is no text is called binary, whatever its type says of it', () => {
    expect(bodyOf(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 1), { type: 'image/png' }).end().note).toBe('binary');
    expect(bodyOf('plain', { type: 'application/octet-stream' }).end().text).toBe('plain');
    expect(bodyOf(Uint8Array.of(0xff, 0xfe, 0xfd), { type: '' }).end().note).toBe('binary');
  });

  it('that is damaged, or in a coding that is not known, has no text', () => {
    expect(bodyOf('no gzip at all', { encoding: 'gzip' }).end()).toEqual({
      text: undefined,
      note: 'cannot be decompressed (gzip)',
    });
    expect(bodyOf('x', { encoding: 'exi' }).end().note).toBe('cannot be decompressed (exi)');
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])('that is a bomb of %s has no text, and says so', (encoding, compress) => {
    expect(bodyOf(compress(Buffer.alloc(4_000_000)), { encoding }).end()).toEqual({
      text: undefined,
      note: `more than 256 KiB when decompressed (${encoding})`,
    });
  });

  it('of a form hides its secrets, the first one too', () => {
    const type = 'application/x-www-form-urlencoded';
    expect(bodyOf('password=hunter2&user=ann', { type }).end().text).toBe('password=***&user=ann');
    const shown = bodyOf('password=hunter2', { type, bodies: new Bodies(true) }).end();
    expect(shown.text).toBe('password=hunter2');
  });

  it('of a form hides a secret up to the next parameter, also where it is not encoded', () => {
    const type = 'application/x-www-form-urlencoded; charset=utf-8';
    expect(bodyOf('a=1&password=correct horse;b#c?\nd&user=ann', { type }).end().text).toBe(
      'a=1&password=***&user=ann',
    );
    expect(bodyOf('x%5Bpassword%5D=a b&state=open', { type }).end().text).toBe('x%5Bpassword%5D=***&state=open');
  });

  it.each(['BBB', '"BBB"', 'BBB; charset=utf-8'])('of a multipart form hides its secrets: boundary=%s', (boundary) => {
    const part = (head: string, value: string) =>
      `--BBB\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`;
    const form = (secret: string) =>
      part('name="user"', 'ann') +
      part('name="password"', secret) +
      part('filename="password"; name="picture"', 'no secret') +
      part('name=api_key\r\nContent-Type: text/plain', secret);
    const type = `multipart/form-data; boundary=${boundary}`;
    expect(bodyOf(`${form('hush\r\n\r\nhush')}--BBB--\r\n`, { type }).end().text).toBe(`${form('***')}--BBB--\r\n`);
    // What is kept may end within a secret.
    expect(bodyOf(part('name="password"', 'hus').trimEnd(), { type }).end().text).not.toContain('hus');
    const shown = bodyOf(form('hush'), { type, bodies: new Bodies(true) }).end();
    expect(shown.text).toBe(form('hush'));
  });

  it('takes what is left of the bytes for all bodies, and gives them back', () => {
    const bodies = new Bodies(false, 2000);
    const first = bodyOf('a'.repeat(1500), { bodies });
    const second = bodyOf('b'.repeat(1500), { bodies });
    expect(second.end()).toEqual({ text: undefined, note: 'not kept: too many bodies at once' });
    expect(first.end().text).toBe('a'.repeat(1500));
    expect(bodyOf('c'.repeat(1500), { bodies }).end().text).toBe('c'.repeat(1500));
  });

  it('takes nothing more once it was made a text', () => {
    const bodies = new Bodies(false, 300);
    const body = bodyOf('abc', { bodies });
    body.end();
    body.take(Buffer.from('later'), 0, 5);
    expect(bodyOf('d'.repeat(300), { bodies }).end().text).toBe('d'.repeat(300));
  });
});
