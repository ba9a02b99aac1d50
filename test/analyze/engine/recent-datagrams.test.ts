import { expect, test } from 'vitest';
import { RecentDatagrams, SEEN_BEFORE } from '../../../src/analyze/engine/recent-datagrams.ts';
import { COPY_ELSEWHERE_NS, COPY_NS, COPY_UNNUMBERED_NS, RECENT_DATAGRAMS } from '../../../src/analyze/limits.ts';
import { decoded } from '../decoded.ts';

const HEADERS = 42;
/** Of a flow and direction. */
const KEY = 9;

/** A datagram over Ethernet and IPv4. */
function datagram(identification: number, payload: string) {
  const frame = Buffer.alloc(HEADERS + payload.length);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(28 + payload.length, 16);
  frame.writeUInt16BE(identification, 18);
  frame[22] = 64;
  frame[23] = 17;
  frame.writeUInt16BE(4660, 34);
  frame.writeUInt16BE(53, 36);
  frame.writeUInt16BE(8 + payload.length, 38);
  frame.write(payload, HEADERS);
  return decoded(1, frame);
}

/** What the second one is to the first, which came at 1 s at place 1. */
function second(
  payload: string,
  options: { id?: number; key?: number; place?: number; after?: number; first?: string },
) {
  const { id = 7, key = KEY, place = 1, after = 1000, first = 'what' } = options;
  const recent = new RecentDatagrams();
  const identification = id === 0 ? 0 : 7;
  expect(recent.look(datagram(identification, first), KEY, 1, 1e9)).toBe(SEEN_BEFORE.no);
  return recent.look(datagram(id, payload), key, place, 1e9 + after);
}

test('the same datagram soon after, at the same place or at another, is a copy', () => {
  expect(second('what', {})).toBe(SEEN_BEFORE.here);
  expect(second('what', { place: 2 })).toBe(SEEN_BEFORE.elsewhere);
  expect(second('what', { after: -1000 })).toBe(SEEN_BEFORE.here);
});

test('another one is none: by its payload, its length, its number, its flow', () => {
  expect(second('whot', {})).toBe(SEEN_BEFORE.no);
  expect(second('whats', {})).toBe(SEEN_BEFORE.no);
  expect(second('what', { id: 8 })).toBe(SEEN_BEFORE.no);
  expect(second('what', { key: KEY + 1 })).toBe(SEEN_BEFORE.no);
  const begin = 'x'.repeat(48);
  expect(second(`${begin}b`, { first: `${begin}a` })).toBe(SEEN_BEFORE.here);
  expect(second(`${begin.slice(1)}b`, { first: `${begin.slice(1)}a` })).toBe(SEEN_BEFORE.no);
});

test.each([
  ['here', { id: 7 }, COPY_NS],
  ['elsewhere', { place: 2 }, COPY_ELSEWHERE_NS],
  ['here', { id: 0 }, COPY_UNNUMBERED_NS],
] as const)('it is one no longer after its time: %s %j', (seen, options, most) => {
  expect(second('what', { ...options, after: most })).toBe(SEEN_BEFORE[seen]);
  expect(second('what', { ...options, after: most + 1000 })).toBe(SEEN_BEFORE.no);
});

test('without a number and without payload nothing shows that it is a copy', () => {
  expect(second('', { id: 0, first: '' })).toBe(SEEN_BEFORE.no);
  expect(second('', { first: '' })).toBe(SEEN_BEFORE.here);
});

test('two datagrams whose hashes lie together are both remembered', () => {
  const recent = new RecentDatagrams();
  const places = new Map<number, number>();
  let pairs = 0;
  for (let id = 1; id < 4_000 && pairs < 20; id += 1) {
    recent.look(datagram(id, 'what'), KEY, 1, 1e9);
    const at = recent.hash & (RECENT_DATAGRAMS - 1);
    const other = places.get(at);
    places.set(at, id);
    if (other === undefined) continue;
    pairs += 1;
    for (const either of [other, id])
      expect(recent.look(datagram(either, 'what'), KEY, 2, 1e9)).toBe(SEEN_BEFORE.elsewhere);
  }
  expect(pairs).toBeGreaterThan(5);
});

test('a datagram that comes again after the time of copies is newer than the other one of its pair', () => {
  const recent = new RecentDatagrams();
  /** Gives hashes, so that nothing but triples is in `recent`. */
  const hashes = new RecentDatagrams();
  const places = new Map<number, number[]>();
  let triples = 0;
  for (let id = 1; id < 60_000 && triples < 5; id += 1) {
    hashes.look(datagram(id, 'what'), KEY, 1, 0);
    const at = hashes.hash & (RECENT_DATAGRAMS - 2);
    const known = [...(places.get(at) ?? []), id];
    places.set(at, known);
    const [first, second, third] = known;
    if (first === undefined || second === undefined || third === undefined || known.length > 3) continue;
    triples += 1;
    for (const [each, time] of [
      [first, 1e9],
      [second, 1.1e9],
      [first, 1.2e9],
      [third, 1.3e9],
    ] as const)
      expect(recent.look(datagram(each, 'what'), KEY, 1, time)).toBe(SEEN_BEFORE.no);
    expect(recent.look(datagram(first, 'what'), KEY, 2, 1.4e9)).toBe(SEEN_BEFORE.elsewhere);
  }
  expect(triples).toBe(5);
});
