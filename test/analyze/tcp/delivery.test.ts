import { expect, test } from 'vitest';
import { TCP_I32 } from '../../../src/analyze/flow/flow-layout.ts';
import { Delivery } from '../../../src/analyze/tcp/delivery.ts';
import { HandedOn } from '../../../src/analyze/tcp/handed-on.ts';
import { type HeldSegment, HeldSegments, Waiting } from '../../../src/analyze/tcp/held-segments.ts';
import type { TcpStream } from '../../../src/analyze/tcp/stream.ts';
import { Troubles } from '../../../src/analyze/tcp/troubles.ts';
import { Random } from '../../support/random.ts';
import { type HandedPiece, TableStreamHost } from '../../support/stream-host.ts';

/** What a side sends: bytes that differ from their neighbours, so that a wrong place shows. */
const SENT = [0, 1].map((side) =>
  Buffer.from(Array.from({ length: 400 }, (_, index) => (index * 7 + side * 101) & 0xff)),
);

/** A segment as it was sent first, in the order of sending; `at` is its number. */
interface Sent {
  readonly direction: 0 | 1;
  readonly from: number;
  readonly to: number;
  /** Of the other side's bytes: all that had been sent, or some of it. */
  readonly acknowledged: number;
  readonly at: number;
}

function conversation(random: Random): Sent[] {
  const sent: Sent[] = [];
  const next: [number, number] = [0, 0];
  const acknowledged: [number, number] = [0, 0];
  for (let at = 1; next[0] < 300 && next[1] < 300; at += 1) {
    const direction = random.below(2) === 0 ? 0 : 1;
    const other = direction === 0 ? 1 : 0;
    const from = next[direction];
    const to = Math.min(300, from + 1 + random.below(40));
    if (random.below(3) > 0) acknowledged[other] = next[other];
    sent.push({ direction, from, to, acknowledged: acknowledged[other], at });
    next[direction] = to;
  }
  return sent;
}

function setUp(random: Random) {
  const host = new TableStreamHost();
  const initial = [random.below(2) === 0 ? 2 ** 32 - 100 : 5, random.below(2) === 0 ? 2 ** 31 - 100 : 9] as const;
  const stream = host.open(initial);
  const troubles = new Troubles();
  const delivery = new Delivery(host.table, new HandedOn(host.table), troubles, host.clock);
  const segmentOf = ({ direction, from, to, acknowledged, at }: Sent, captured = to - from): HeldSegment => ({
    sequence: (initial[direction] + from) | 0,
    length: to - from,
    captured,
    bytes: delivery.pool.copy(SENT[direction] as Buffer, from, from + captured),
    time: at * 1e6,
    acknowledgment: (initial[direction === 0 ? 1 : 0] + acknowledged) | 0,
    hasAcknowledgment: true,
    clock: 0,
    isLate: false,
    isCrossing: false,
  });
  const next = (direction: number) =>
    ((host.table.ints[host.table.base(stream.slot) + direction + TCP_I32.next] as number) -
      (initial[direction === 0 ? 0 : 1] as number)) |
    0;
  return { host, stream, troubles, delivery, segmentOf, next };
}

function hold(delivery: Delivery, held: HeldSegments, segment: HeldSegment): void {
  const before = held.bytes;
  held.add(segment);
  delivery.held += held.bytes - before;
}

/** Release what waits until nothing does, the earliest first. */
function releaseAll(delivery: Delivery, stream: TcpStream, waiting: Waiting): void {
  for (;;) {
    const [a, b] = waiting.segments;
    if (a.first === undefined && b.first === undefined) return;
    const direction = b.first === undefined || (a.first !== undefined && a.first.time <= b.first.time) ? 0 : 1;
    delivery.release(stream, waiting, direction, 0);
  }
}

/** Byte by byte, what a direction's pieces say: the bytes, and undefined for those of holes. */
function laidOut(pieces: readonly HandedPiece[], direction: number): (number | undefined)[] {
  return pieces
    .filter((piece) => piece.direction === direction)
    .flatMap(({ bytes, length }) => (bytes === undefined ? new Array<undefined>(length).fill(undefined) : [...bytes]));
}

test('of what waits, each byte that some place has is handed on once at its place, each other one is a hole, causes first', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = new Random(seed);
    const { host, stream, troubles, delivery, segmentOf, next } = setUp(random);
    const waiting = new Waiting();
    const isKept = [new Set<number>(), new Set<number>()] as const;
    const sent = conversation(random);
    const shown: Sent[] = [];
    for (const segment of sent) {
      // Lost, at the place that counts, at another one only, or at both; sometimes cut by a snaplen.
      const where = random.below(8);
      if (where === 0) continue;
      const length = segment.to - segment.from;
      const captured = random.below(10) === 0 ? random.below(length) : length;
      for (let at = segment.from; at < segment.from + captured; at += 1) isKept[segment.direction].add(at);
      shown.push(segment);
      if (where === 1) {
        stream.spares ??= [new HeldSegments(), new HeldSegments()];
        hold(delivery, stream.spares[segment.direction], segmentOf(segment, captured));
      } else hold(delivery, waiting.segments[segment.direction], segmentOf(segment, captured));
    }
    // As far as bytes were captured, or acknowledged by some that were.
    const ends = [0, 1].map((direction) =>
      Math.max(0, ...shown.map((each) => (each.direction === direction ? each.to : each.acknowledged))),
    );
    releaseAll(delivery, stream, waiting);
    // Copies behind everything that waits are asked for by nothing.
    for (const direction of [0, 1] as const) {
      const at = ends[direction] ?? 0;
      const { sequence } = segmentOf({ direction, from: at, to: at, acknowledged: 0, at: 0 });
      delivery.bringUp(stream, waiting, direction, sequence, 0, undefined);
    }

    for (const direction of [0, 1] as const) {
      const expected = Array.from({ length: ends[direction] ?? 0 }, (_, at) =>
        isKept[direction].has(at) ? SENT[direction]?.[at] : undefined,
      );
      expect(laidOut(host.pieces, direction), `seed ${seed}, direction ${direction}`).toEqual(expected);
      expect(next(direction)).toBe(expected.length);
      expect(troubles.facts(stream.slot, direction).lost).toBe(expected.filter((byte) => byte === undefined).length);
    }
    expect(delivery.held, `seed ${seed}`).toBe(0);
    expect(delivery.gaps).toBe(host.pieces.filter(({ bytes }) => bytes === undefined).length);

    // Bytes come behind all that their segment acknowledges.
    const position: [number, number] = [0, 0];
    for (const { direction, bytes, length } of host.pieces) {
      const own = direction === 0 ? 0 : 1;
      const carrier = shown.find(
        (each) => each.direction === own && each.from <= position[own] && position[own] < each.to,
      );
      if (bytes !== undefined && carrier !== undefined)
        expect(position[own === 0 ? 1 : 0], `seed ${seed}`).toBeGreaterThanOrEqual(carrier.acknowledged);
      position[own] += length;
    }
  }
});

test('every piece is handed on with the time of its packet, and the clock stands where it stood', () => {
  const { host, stream, delivery, segmentOf } = setUp(new Random(3));
  const waiting = new Waiting();
  hold(delivery, waiting.segments[0], segmentOf({ direction: 0, from: 10, to: 20, acknowledged: 5, at: 3 }));
  hold(delivery, waiting.segments[1], segmentOf({ direction: 1, from: 0, to: 5, acknowledged: 4, at: 2 }));
  host.clock.now = 9e6;
  delivery.release(stream, waiting, 0, 0);
  const brief = host.pieces.map(({ direction, bytes, length, at }) => [
    direction,
    bytes !== undefined,
    length,
    at / 1e6,
  ]);
  expect(brief).toEqual([
    [0, false, 10, 3],
    [1, true, 5, 2],
    [0, true, 10, 3],
  ]);
  expect(host.clock.now).toBe(9e6);
});

test('of bytes that were handed on before only those behind them are handed on', () => {
  for (let known = 0; known <= 12; known += 1) {
    const { host, stream, delivery, segmentOf, next } = setUp(new Random(known));
    const first = segmentOf({ direction: 1, from: 0, to: known, acknowledged: 0, at: 1 });
    const again = segmentOf({ direction: 1, from: 0, to: 10, acknowledged: 0, at: 2 }, 8);
    for (const segment of [first, again])
      delivery.handOn(stream, 1, segment.sequence, segment.length, segment.bytes, 0, segment.captured, segment);
    expect(laidOut(host.pieces, 1)).toEqual([
      ...(SENT[1]?.subarray(0, Math.max(known, 8)) ?? []),
      ...new Array<undefined>(Math.max(0, 10 - Math.max(known, 8))).fill(undefined),
    ]);
    expect(next(1)).toBe(Math.max(known, 10));
  }
});
