import { expect, test } from 'vitest';
import { ConnectionLegs } from '../../../src/analyze/flow/connection-legs.ts';
import { FLOW_STRIDE } from '../../../src/analyze/flow/flow-layout.ts';
import { FlowTable } from '../../../src/analyze/flow/flow-table.ts';
import { LEG_ENTRIES, LEG_HANDSHAKE_WINDOW_NS } from '../../../src/analyze/limits.ts';
import { Random } from '../../support/random.ts';

/** A table with so many flows: flow n has slot n. */
function legsOf(flows: number) {
  const table = new FlowTable(FLOW_STRIDE, 1 << 20, () => undefined);
  for (let flow = 0; flow < flows; flow += 1) expect(table.add(flow, flow + 1, flow, 6, flow)).toBe(flow);
  return { table, legs: new ConnectionLegs(table, LEG_HANDSHAKE_WINDOW_NS) };
}

test('the same pair of initial sequence numbers within the window is the same connection', () => {
  const { legs } = legsOf(10);
  expect(legs.seen(-5, 7, 0, 0)).toBe(-1);
  expect(legs.seen(-5, 7, 3, 1_000)).toBe(0);
  expect(legs.describe(0)).toMatchObject({ id: 0 });
  expect(legs.seen(-5, 7, 4, LEG_HANDSHAKE_WINDOW_NS)).toBe(0);
  expect(legs.seen(-5, 7, 9, LEG_HANDSHAKE_WINDOW_NS + 1)).toBe(-1);
});

test('one number alone is not enough, and a repeated SYN-ACK of the same flow is no other leg', () => {
  const { legs } = legsOf(3);
  legs.seen(1, 2, 0, 0);
  expect(legs.seen(1, 3, 1, 0)).toBe(-1);
  expect(legs.seen(2, 1, 2, 0)).toBe(-1);
  expect(legs.seen(1, 2, 0, 5)).toBe(-1);
});

test("a flow that has ended is nobody's other leg, also when its slot is used again", () => {
  const { table, legs } = legsOf(2);
  legs.seen(1, 2, 0, 0);
  table.remove(0);
  expect(table.add(77, 78, 9, 6, 50)).toBe(0);
  expect(legs.seen(1, 2, 1, 1_000)).toBe(-1);
});

test('many handshakes: the recent ones are found, no wrong one ever', () => {
  const count = LEG_ENTRIES * 4;
  const { legs } = legsOf(count + 1);
  const random = new Random(3);
  const numbers = Array.from({ length: count }, () => [random.below(2 ** 32) | 0, random.below(2 ** 32) | 0]);
  for (const [slot, [client = 0, server = 0]] of numbers.entries()) legs.seen(client, server, slot, slot);
  let found = 0;
  const recent = LEG_ENTRIES / 4;
  for (const [back, [client = 0, server = 0]] of numbers.slice(-recent).entries()) {
    const other = legs.seen(client, server, count, count);
    if (other >= 0) expect(other).toBe(count - recent + back);
    if (other >= 0) found += 1;
  }
  expect(found).toBeGreaterThan(recent * 0.95);
});
