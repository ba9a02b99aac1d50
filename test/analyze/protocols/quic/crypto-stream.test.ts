import { expect, test } from 'vitest';
import { CryptoStream } from '../../../../src/analyze/protocols/quic/crypto-stream.ts';
import { Random } from '../../../support/random.ts';

/** Two messages with their headers, one behind the other. */
const MESSAGES = [900, 300].map((length, index) =>
  Uint8Array.from([
    index + 1,
    0,
    length >> 8,
    length & 255,
    ...Array.from({ length }, (_, at) => (at * 7 + index) & 255),
  ]),
);
const BYTES = Buffer.concat(MESSAGES);

function taken(stream: CryptoStream): number[][] {
  const messages: number[][] = [];
  for (let message = stream.next(); message !== undefined; message = stream.next()) messages.push([...message]);
  return messages;
}

test('pieces in any order, overlapping and sent again', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = new Random(seed);
    const cuts: [number, number][] = [];
    for (let at = 0; at < BYTES.length; ) {
      const end = Math.min(BYTES.length, at + 40 + random.below(200));
      cuts.push([Math.max(0, at - random.below(30)), end]);
      if (random.below(3) === 0) cuts.push([at, end]);
      at = end;
    }
    const stream = new CryptoStream();
    const found: number[][] = [];
    while (cuts.length > 0) {
      const [[start, end]] = cuts.splice(random.below(cuts.length), 1) as [[number, number]];
      const portion = Uint8Array.from(BYTES.subarray(start, end));
      stream.add(start, portion, 0, portion.length);
      portion.fill(0xee);
      found.push(...taken(stream));
    }
    expect(found).toEqual(MESSAGES.map((message) => [...message]));
  }
});

test('a hole holds everything behind it back', () => {
  const stream = new CryptoStream();
  stream.add(0, BYTES, 0, 100);
  stream.add(101, BYTES, 101, BYTES.length);
  expect(taken(stream)).toEqual([]);
  stream.add(100, BYTES, 100, 101);
  expect(taken(stream)).toHaveLength(2);
});

test('not more is kept than its bounds', () => {
  const stream = new CryptoStream();
  for (let at = 0; at < 100; at += 1) stream.add(1000 + at * 2, BYTES, 0, 1);
  stream.add(0, BYTES, 0, BYTES.length);
  // The pieces behind the hole have taken all the room.
  expect(taken(stream)).toEqual([]);
  const far = new CryptoStream();
  far.add(2 ** 40, BYTES, 0, 10);
  far.add(Number.NaN, BYTES, 0, 10);
  expect(far.begun).toBe(false);
});
