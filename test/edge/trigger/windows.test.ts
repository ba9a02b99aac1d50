import { describe, expect, test } from 'vitest';
import { PacketIndex } from '../../../src/edge/trigger/packet-index.ts';
import { TimeRanges } from '../../../src/edge/trigger/time-ranges.ts';
import { Windows } from '../../../src/edge/trigger/windows.ts';

const SECOND = 1e9;

describe('Windows', () => {
  test('windows that overlap are one, with the flows of all', () => {
    const windows = new Windows(10, 5);
    windows.add({ first: 100, last: 110, flow: 'a', flowFirst: 20 });
    windows.add({ first: 200, last: 200, flow: 'b', flowFirst: 200 });
    windows.add({ first: 120, last: 125, flow: 'a', flowFirst: 15 });
    expect(windows.due(129)).toEqual([]);
    expect(windows.due(130)).toEqual([{ from: 90, to: 130, flows: new Map([['a', 15]]) }]);
    expect(windows.due(Number.POSITIVE_INFINITY)).toEqual([{ from: 190, to: 205, flows: new Map([['b', 200]]) }]);
  });

  test('a window that goes on is kept in parts', () => {
    const windows = new Windows(SECOND, 10 * SECOND);
    for (let at = 0; at <= 100; at += 5) {
      windows.add({ first: at * SECOND, last: at * SECOND, flow: `${at}`, flowFirst: at * SECOND });
    }
    const [part] = windows.due(70 * SECOND);
    expect(part).toMatchObject({ from: -SECOND, to: 70 * SECOND });
    expect(windows.due(70 * SECOND)).toEqual([]);
    expect(windows.due(110 * SECOND)).toMatchObject([{ from: 70 * SECOND + 1, to: 110 * SECOND }]);
  });
});

describe('TimeRanges', () => {
  test('what was kept is not missing', () => {
    const ranges = new TimeRanges();
    ranges.add({ from: 10, to: 20 });
    ranges.add({ from: 40, to: 50 });
    expect(ranges.missing({ from: 0, to: 60 })).toEqual([
      { from: 0, to: 9 },
      { from: 21, to: 39 },
      { from: 51, to: 60 },
    ]);
    expect(ranges.missing({ from: 12, to: 18 })).toEqual([]);
    ranges.add({ from: 21, to: 39 });
    expect(ranges.missing({ from: 5, to: 55 })).toEqual([
      { from: 5, to: 9 },
      { from: 51, to: 55 },
    ]);
    expect([9, 10, 30, 50, 51].map((time) => ranges.has(time))).toEqual([false, true, true, true, false]);
  });
});

describe('PacketIndex', () => {
  test('packets are found by their time until their piece is removed', () => {
    const index = new PacketIndex();
    index.add({ piece: 'a', from: 0, to: 10, first: 0, last: 5 });
    index.add({ piece: 'a', from: 10, to: 30, first: 4, last: 9 });
    index.add({ piece: 'b', from: 50, to: 60, first: 10, last: 12 });
    expect(index.between(9, 10).map(({ piece, from, to }) => [piece, from, to])).toEqual([
      ['a', 0, 30],
      ['b', 50, 60],
    ]);
    index.remove('a');
    expect(index.goneUntil).toBe(9);
    expect(index.between(0, 100)).toHaveLength(1);
  });
});
