import { expect, test } from 'vitest';
import { AT, Chunks } from '../../../../src/analyze/protocols/http1/framing.ts';
import { Random } from '../../../support/random.ts';

/** Follows the coding in portions that end at these places. @returns what was taken, and where it ended; -1 where it is none */
function follow(text: string, ends: readonly number[]) {
  let body = '';
  const chunks = new Chunks();
  chunks.body = {
    take: (bytes, start, end) => {
      body += Buffer.from(bytes.subarray(start, end)).toString('latin1');
    },
    cut: () => undefined,
  };
  const bytes = Buffer.from(text, 'latin1');
  let at = 0;
  for (const end of [...ends, text.length]) {
    const stop = chunks.follow(bytes, at, end);
    if (stop < 0) return { body, stop, chunks };
    at = stop;
    if (chunks.ended) break;
    expect(stop).toBe(end);
  }
  return { body, stop: chunks.ended ? at : -2, chunks };
}

test('chunks with extensions and trailers (RFC 9112, section 7.1), cut anywhere: their data, and where they end', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = new Random(seed);
    const lf = random.below(5) === 0 ? '\n' : '\r\n';
    const parts = Array.from({ length: random.below(4) }, () =>
      'Data 0\r\n5;x'.repeat(30).slice(0, 1 + random.below(random.below(4) === 0 ? 300 : 20)),
    );
    const size = (length: number) => {
      const digits = random.below(2) === 0 ? length.toString(16) : length.toString(16).toUpperCase().padStart(4, '0');
      return `${digits}${['', '', ';name=5', ' ;a', '\t'][random.below(5)]}`;
    };
    const trailers = ['', '', `Checksum: 0${lf}`, `A: 1${lf}B: 2${lf}`][random.below(4)];
    const text = `${parts.map((part) => `${size(part.length)}${lf}${part}${lf}`).join('')}${size(0)}${lf}${trailers}${lf}`;
    const more = `${text}5\r\nHTTP`;
    const ends = Array.from({ length: random.below(5) }, () => random.below(more.length)).sort((a, b) => a - b);
    const all = Array.from({ length: more.length }, (_, index) => index);
    for (const cut of [ends, all]) {
      const { body, stop, chunks } = follow(more, cut);
      expect([body, stop], `seed ${seed}`).toEqual([parts.join(''), text.length]);
      expect([chunks.at, chunks.left]).toEqual([AT.chunkSize, 0]);
    }
    for (const end of all.slice(1, text.length - 1)) expect(follow(text.slice(0, end), []).stop).toBe(-2);
  }
});

test.each([
  ['', -2],
  ['\r\n', -1],
  ['g\r\n', -1],
  ['/', -1],
  [':', -1],
  ['@', -1],
  ['G', -1],
  ['`', -1],
  ['5\r\nabcdeX', -1],
  ['5\r\nabcde\r\n\r\n', -1],
  ['000000000005\r\nabcde', -2],
  ['0000000000005', -1],
  ['0\r\n\r\n', 5],
  ['0\n\n', 3],
])('%j ends at %d', (text, stop) => {
  expect(follow(text, []).stop).toBe(stop);
});

test('where it stands within a chunk', () => {
  const { chunks } = follow('a9;x\r\nabc', []);
  expect([chunks.at, chunks.left]).toEqual([AT.body, 0xa9 - 3]);
  chunks.begin();
  expect([chunks.at, chunks.left]).toEqual([AT.chunkSize, 0]);
  expect(chunks.follow(Buffer.from('2\r\nab'), 0, 5)).toBe(5);
  expect(chunks.at).toBe(AT.chunkEnd);
});
