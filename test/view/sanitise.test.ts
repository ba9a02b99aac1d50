import { describe, expect, it } from 'vitest';
import { sanitise } from '../../src/view/sanitise.ts';

describe('sanitise', () => {
  it.each([
    ['ESC and what would follow', '\x1b[31mred\x1b]0;title\x07', '\\x1b[31mred\\x1b]0;title\\x07'],
    ['a line feed that would forge a line', 'web\r\n00:00 fake', 'web\\x0d\\x0a00:00 fake'],
    ['C1, the eight-bit CSI among them', 'a\x9b2Jb\x85', 'a\\x9b2Jb\\x85'],
    ['DEL and tab', '\x7f\t', '\\x7f\\x09'],
    [
      'bidirectional overrides, embeddings and isolates',
      'a\u202eb\u202a\u2066\u2069\u200f',
      'a\\u202eb\\u202a\\u2066\\u2069\\u200f',
    ],
    ['zero-width characters and tags', 'a\u200bb\ufeff\u{e0041}', 'a\\u200bb\\ufeff\\ue0041'],
    ['line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
    ['half a surrogate pair', 'a\ud800b', 'a\\ud800b'],
  ])('shows %s instead of sending it', (_, text, shown) => {
    expect(sanitise(text)).toBe(shown);
  });

  it('leaves what people write', () => {
    const text = 'shop/web-1 größe 東京 🎉 العربية \\x1b';
    expect(sanitise(text)).toBe(text);
  });

  it('lets no control of any kind through', () => {
    const all = Array.from({ length: 0x11000 }, (_, code) => String.fromCodePoint(code)).join('');
    expect(sanitise(all)).not.toMatch(
      /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/,
    );
  });
});
