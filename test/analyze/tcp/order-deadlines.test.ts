import { expect, test } from 'vitest';
import { HOLE_NS, REORDER_NS } from '../../../src/analyze/limits.ts';
import { OrderDeadlines } from '../../../src/analyze/tcp/order-deadlines.ts';
import type { TcpStream } from '../../../src/analyze/tcp/stream.ts';
import { Random } from '../../support/random.ts';
import { TableStreamHost } from '../../support/stream-host.ts';

const KINDS = ['soon', 'late', 'reset'] as const;
type Kind = (typeof KINDS)[number];
const WAIT = { soon: REORDER_NS, late: HOLE_NS, reset: REORDER_NS } as const;

test('what is due comes with the first packet behind its time, whatever was added meanwhile and wherever times go', () => {
  let due = 0;
  for (let seed = 1; seed <= 150; seed += 1) {
    const random = new Random(seed);
    const host = new TableStreamHost();
    const streams = Array.from({ length: 6 }, () => host.open());
    const found: string[] = [];
    const note = (kind: Kind) => (stream: TcpStream) => void found.push(`${kind} ${stream.flow}`);
    const deadlines = new OrderDeadlines({ onSoon: note('soon'), onLate: note('late'), onReset: note('reset') });
    /** Every packet looks at everything, first in, first out. */
    const waiting = { soon: [], late: [], reset: [] } as Record<
      Kind,
      { readonly stream: TcpStream; readonly flow: number; readonly since: number }[]
    >;
    let now = 0;
    for (let step = 0; step < 300; step += 1) {
      now +=
        random.below(30) === 0 ? -random.below(6e9) : random.below(8) === 0 ? random.below(3e9) : random.below(9e5);
      const expected: string[] = [];
      for (const kind of KINDS) {
        for (let [first] = waiting[kind]; first !== undefined; [first] = waiting[kind]) {
          if (Math.abs(now - first.since) < WAIT[kind]) break;
          waiting[kind].shift();
          if (!first.stream.ended && first.stream.flow === first.flow) expected.push(`${kind} ${first.flow}`);
        }
      }
      found.length = 0;
      deadlines.passed(now);
      expect(found, `seed ${seed}, step ${step}`).toEqual(expected);
      due += found.length;
      const stream = streams[random.below(streams.length)] as TcpStream;
      const kind = KINDS[random.below(9)];
      if (kind !== undefined) {
        deadlines[kind](stream, now);
        waiting[kind].push({ stream, flow: stream.flow, since: now });
      }
      if (random.below(40) > 0) continue;
      // It ends, or stands for another connection from now on.
      if (random.below(2) === 0) stream.ended = true;
      else stream.begin(stream.slot, 100 + step, 0, false, 40_000, 80);
    }
  }
  expect(due).toBeGreaterThan(5000);
});
