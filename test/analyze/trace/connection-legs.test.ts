import { expect, test } from 'vitest';
import { LEG_ENTRIES, LEG_HANDSHAKE_WINDOW_NS } from '../../../src/analyze/limits.ts';
import { ConnectionLegs } from '../../../src/analyze/trace/connection-legs.ts';
import { Random } from '../../support/random.ts';

test('the same pair of initial sequence numbers within the window is the same connection', () => {
  const legs = new ConnectionLegs(LEG_HANDSHAKE_WINDOW_NS);
  expect(legs.seen(-5, 7, 0, 0)).toBe(-1);
  expect(legs.seen(-5, 7, 3, 1_000)).toBe(0);
  expect(legs.seen(-5, 7, 4, LEG_HANDSHAKE_WINDOW_NS)).toBe(0);
  expect(legs.seen(-5, 7, 9, LEG_HANDSHAKE_WINDOW_NS + 1)).toBe(-1);
});

test('one number alone is not enough, and a repeated SYN-ACK of the same flow is no other leg', () => {
  const legs = new ConnectionLegs(LEG_HANDSHAKE_WINDOW_NS);
  legs.seen(1, 2, 0, 0);
  expect(legs.seen(1, 3, 1, 0)).toBe(-1);
  expect(legs.seen(2, 1, 2, 0)).toBe(-1);
  expect(legs.seen(1, 2, 0, 5)).toBe(-1);
});

test('many handshakes: the recent ones are found, no wrong one ever, memory stays', () => {
  const legs = new ConnectionLegs(LEG_HANDSHAKE_WINDOW_NS);
  const random = new Random(3);
  const numbers = Array.from({ length: LEG_ENTRIES * 4 }, () => [
    random.below(2 ** 32) | 0,
    random.below(2 ** 32) | 0,
  ]);
  for (const [flow, [client = 0, server = 0]] of numbers.entries()) legs.seen(client, server, flow, flow);
  let found = 0;
  const recent = LEG_ENTRIES / 4;
  for (const [back, [client = 0, server = 0]] of numbers.slice(-recent).entries()) {
    const flow = numbers.length - recent + back;
    const other = legs.seen(client, server, 10_000_000 + back, numbers.length);
    if (other >= 0) expect(other).toBe(flow);
    if (other >= 0) found += 1;
  }
  expect(found).toBeGreaterThan(recent * 0.95);
});
