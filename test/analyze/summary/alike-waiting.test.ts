import { expect, it } from 'vitest';
import type { AlikeSums } from '../../../src/analyze/flow/alike.ts';
import { WaitingAlike } from '../../../src/analyze/summary/alike-waiting.ts';
import { bucketOf } from '../../../src/analyze/summary/histogram.ts';
import { Random } from '../../support/random.ts';

const KINDS = 12;
/** Two of each share a place where the last ones of flows are remembered. */
const FLOWS = [5, 6, 7, 4096 + 5, 4096 + 6, 8192 + 5];

interface Waiting {
  readonly kind: number;
  readonly flow: number;
  readonly time: number;
  readonly latency: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** What is handed out of a kind, and when its latest request was sent. */
function sumsOf(all: readonly Waiting[]) {
  const sum = (of: (one: Waiting) => number) => all.reduce((before, one) => before + of(one), 0);
  const buckets = all.map(({ latency }) => bucketOf(latency)).sort((one, other) => one - other);
  return {
    count: all.length,
    requestBytes: sum(({ requestBytes }) => requestBytes),
    responseBytes: sum(({ responseBytes }) => responseBytes),
    sum: sum(({ latency }) => latency),
    max: Math.max(...all.map(({ latency }) => latency)),
    buckets,
    lowest: buckets[0],
    highest: buckets.at(-1),
    last: Math.max(...all.map(({ time }) => time)),
  };
}

function copyOf({ buckets, start, ...sums }: AlikeSums) {
  const own = [...buckets.subarray(start, start + sums.count)].sort((one, other) => one - other);
  const { count, requestBytes, responseBytes, sum, max, lowest, highest, last } = sums;
  return { count, requestBytes, responseBytes, sum, max, buckets: own, lowest, highest, last };
}

it('hands out sums by kind, the one that came last at the end, and before them the last exchange of each flow', () => {
  const random = new Random(7);
  const counted: (readonly [number, ReturnType<typeof copyOf>])[] = [];
  const lasts: (readonly [number, number])[] = [];
  const takers = Array.from({ length: KINDS }, (_, kind) => ({
    counted: (sums: AlikeSums) => void counted.push([kind, copyOf(sums)]),
    // Not every kind's taker looks at flows.
    ...(kind % 3 === 0
      ? {}
      : {
          lastOfFlow: (flow: number, time: number) => {
            expect(counted).toEqual([]);
            lasts.push([flow, time]);
          },
        }),
  }));
  const waiting = new WaitingAlike(KINDS, takers);
  for (let round = 0, time = 0; round < 40; round += 1) {
    const all: Waiting[] = [];
    for (const wanted = random.below(round % 8 === 0 ? 5000 : 20); all.length < wanted && !waiting.isFull; ) {
      time += 1 + random.below(1000);
      const one: Waiting = {
        kind: random.below(KINDS),
        flow: FLOWS[random.below(FLOWS.length)] ?? 0,
        // Responses do not come in the order of their requests.
        time: time - random.below(3000),
        latency: random.below(2) === 0 ? random.below(5) : random.below(2 ** 31) * 1000,
        requestBytes: random.below(100),
        responseBytes: random.below(1000),
      };
      all.push(one);
      waiting.add(one.kind, one.flow, one.time, one.latency, one.requestBytes, one.responseBytes);
    }
    expect(waiting.size).toBe(all.length);
    counted.length = 0;
    lasts.length = 0;
    waiting.handOut();
    expect(waiting.size).toBe(0);
    const kinds = [...new Set(all.map(({ kind }) => kind).reverse())].reverse();
    expect(counted).toEqual(kinds.map((kind) => [kind, sumsOf(all.filter((one) => one.kind === kind))]));
    // In order; of flows that share a place some more than the last.
    const place = ([flow, time]: readonly [number, number]) =>
      all.findLastIndex((one) => one.flow === flow && one.time === time);
    expect(lasts).toEqual(lasts.toSorted((one, other) => place(one) - place(other)));
    const looked = all.filter(({ kind }) => kind % 3 !== 0);
    expect(new Map(lasts)).toEqual(new Map(looked.map((one) => [one.flow, one.time])));
  }
});
