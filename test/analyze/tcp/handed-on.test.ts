import { expect, test } from 'vitest';
import { TCP_F64, TCP_I32 } from '../../../src/analyze/flow/flow-layout.ts';
import { SEQUENCE_JUMP_MAXIMUM } from '../../../src/analyze/limits.ts';
import type { Carrier } from '../../../src/analyze/tcp/carrier.ts';
import { SEEN } from '../../../src/analyze/tcp/flags.ts';
import { HandedOn } from '../../../src/analyze/tcp/handed-on.ts';
import type { HeldSegment } from '../../../src/analyze/tcp/held-segments.ts';
import { Random } from '../../support/random.ts';
import { TableStreamHost } from '../../support/stream-host.ts';

const CARRIER: Carrier = { acknowledgment: 0, hasAcknowledgment: true, clock: 0, isLate: false, isCrossing: false };

/** Where sequence numbers begin: also so that they pass 2^31 and 2^32 at once. */
const INITIAL = [0, 2 ** 31 - 30, 2 ** 32 - 30] as const;

function near(random: Random): number {
  const distances = [0, 1, random.below(60) - 30, random.below(2 ** 28), 2 ** 28 + random.below(1000)];
  return distances[random.below(distances.length)] ?? 0;
}

test('how far a sequence number is ahead of what was handed on, in numbers that do not wrap', () => {
  for (let seed = 1; seed <= 3000; seed += 1) {
    const random = new Random(seed);
    const host = new TableStreamHost();
    const { table } = host;
    const next = [INITIAL[random.below(3)] ?? 0, INITIAL[random.below(3)] ?? 0] as const;
    const stream = host.open(next);
    const handedOn = new HandedOn(table);
    const base = table.base(stream.slot);
    const direction = random.below(2) === 0 ? 0 : 1;
    const own = base + direction;
    const other = direction === 0 ? 1 : 0;
    expect(handedOn.next(stream, direction)).toBe(next[direction] | 0);

    const fin = random.below(3) === 0 ? next[direction] + near(random) : undefined;
    if (fin !== undefined) {
      table.ints[own + TCP_I32.fin] = fin | 0;
      table.ints[own + TCP_I32.flags] = SEEN.next | SEEN.fin;
    }
    const plausible = (ahead: number) => (ahead > SEQUENCE_JUMP_MAXIMUM ? 0 : ahead);
    const aheadOf = (side: 0 | 1, sequence: number) => {
      const ahead = sequence - next[side];
      return plausible(side === direction && ahead > 0 && sequence === fin ? ahead - 1 : ahead);
    };
    const sequence = random.below(3) === 0 && fin !== undefined ? fin : next[direction] + near(random);
    expect(handedOn.ahead(stream, direction, sequence | 0), `seed ${seed}`).toBe(aheadOf(direction, sequence));

    const held: HeldSegment = {
      ...{ ...CARRIER, sequence: sequence | 0, length: 1, captured: 1, bytes: new Uint8Array(1), time: 5e9 },
      hasAcknowledgment: random.below(4) > 0,
      isLate: random.below(4) === 0,
    };
    expect(handedOn.isBeyond(stream, direction, held)).toBe(sequence > next[direction]);

    const acknowledged = next[other] + near(random);
    const carrier = { ...held, acknowledgment: acknowledged | 0 };
    // A request that came late acknowledges its own answer, if that had come meanwhile.
    const orders = carrier.hasAcknowledgment && !(carrier.isLate && direction === stream.client);
    expect(handedOn.isEarly(stream, direction, carrier), `seed ${seed}`).toBe(
      orders && aheadOf(other, acknowledged) > 0,
    );
    expect(handedOn.isTimely(own, direction, carrier)).toBe(acknowledged <= next[other]);

    const isHeard = random.below(3) > 0;
    const heard = 5e9 + random.below(3) - 1;
    const received = next[direction] + near(random);
    if (isHeard) {
      table.ints[base + other + TCP_I32.flags] = SEEN.next | SEEN.ack;
      table.ints[base + other + TCP_I32.ack] = received | 0;
      table.doubles[(base >> 1) + TCP_F64.ackTime + other] = heard;
    }
    expect(handedOn.isHoleAcknowledged(stream, direction)).toBe(isHeard && aheadOf(direction, received) > 0);
    expect(handedOn.isUnreceived(stream, direction, held)).toBe(isHeard && heard > held.time);
  }
});

test('a direction begins where the other one acknowledged first, as far as that is plausible', () => {
  for (let seed = 1; seed <= 1000; seed += 1) {
    const random = new Random(seed);
    const host = new TableStreamHost();
    const stream = host.open();
    const handedOn = new HandedOn(host.table);
    const direction = random.below(2) === 0 ? 0 : 1;
    const own = host.table.base(stream.slot) + direction;
    const first = INITIAL[random.below(3)] ?? 0;
    const isAcknowledged = random.below(4) > 0;
    if (isAcknowledged) stream.acknowledges(1 - direction, first | 0);
    expect(handedOn.next(stream, direction)).toBeUndefined();
    // The first bytes captured of it, or what is acknowledged of it.
    const distance = near(random);
    const sequence = first + distance;
    const isPlausible = isAcknowledged && Math.abs(distance) <= SEQUENCE_JUMP_MAXIMUM;
    if (random.below(2) === 0) {
      handedOn.begin(stream, own, direction, sequence | 0);
      // A server's bytes before that were sent again; a client's begin the capture.
      const isBegun = isPlausible && (distance > 0 || direction !== stream.client);
      expect(handedOn.next(stream, direction), `seed ${seed}`).toBe((isBegun ? first : sequence) | 0);
    } else {
      const isKnown = isPlausible && distance > 0;
      expect(handedOn.ahead(stream, direction, sequence | 0), `seed ${seed}`).toBe(isKnown ? distance : 0);
      expect(handedOn.next(stream, direction), `seed ${seed}`).toBe(isKnown ? first | 0 : undefined);
    }
    const before = handedOn.next(stream, direction);
    if (before === undefined) continue;
    handedOn.begin(stream, own, direction, (sequence + 77) | 0);
    expect(handedOn.next(stream, direction)).toBe(before);
  }
});
