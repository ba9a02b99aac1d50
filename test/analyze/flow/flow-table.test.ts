import { expect, test } from 'vitest';
import { FLOW_I32, FLOW_STRIDE } from '../../../src/analyze/flow/flow-layout.ts';
import { FlowTable } from '../../../src/analyze/flow/flow-table.ts';
import { Random } from '../../support/random.ts';

test('finds what a Map would find, through additions, removals and growth', () => {
  const ended: number[] = [];
  const table: FlowTable = new FlowTable(FLOW_STRIDE, 1 << 20, (slot) =>
    ended.push(table.ints[table.base(slot) + FLOW_I32.id] as number),
  );
  const known = new Map<string, number>();
  const random = new Random(11);
  let removed = 0;
  for (let step = 0; step < 60_000; step += 1) {
    // Few different values: keys that share parts, slots that collide.
    const key = [random.below(40), random.below(40), random.below(30), random.below(2)] as const;
    const text = key.join();
    const slot = table.find(...key);
    expect(slot >= 0, text).toBe(known.has(text));
    if (slot < 0) known.set(text, table.add(...key, step));
    else {
      expect(slot).toBe(known.get(text));
      if (random.below(3) === 0) {
        table.remove(slot);
        known.delete(text);
        removed += 1;
      }
    }
  }
  expect(table.count).toBe(known.size);
  expect(ended).toHaveLength(removed);
  table.clear();
  expect(table.count).toBe(0);
  // The rest end in the order in which they came.
  const rest = ended.slice(removed);
  expect(rest).toEqual([...rest].sort((a, b) => a - b));
});

test('a full table lets a flow go that was silent, and says so', () => {
  const ended: number[] = [];
  const table: FlowTable = new FlowTable(FLOW_STRIDE, 20, (slot) =>
    ended.push((table.ints[table.base(slot) + FLOW_I32.id] as number) - 1),
  );
  for (let id = 0; id < 20; id += 1) table.add(id, 0, 0, 6, id);
  table.sweep(20, 0, () => false);
  // All but one have had a packet since.
  for (let id = 0; id < 20; id += 1) {
    if (id !== 7) table.ints[table.base(table.find(id, 0, 0, 6)) + FLOW_I32.passed] = 0;
  }
  table.add(99, 0, 0, 6, 20);
  expect(ended).toEqual([7]);
  expect(table.count).toBe(20);
  expect(table.evicted).toBe(1);
  expect(table.find(7, 0, 0, 6)).toBe(-1);
  expect(table.find(99, 0, 0, 6)).toBeGreaterThanOrEqual(0);
});

test('a sweep ends what may expire, all of it within one round', () => {
  const table = new FlowTable(FLOW_STRIDE, 1000, () => {});
  for (let id = 0; id < 100; id += 1) table.add(id, 0, 0, 17, id);
  const odd = (of: FlowTable, slot: number) => (of.ints[of.base(slot) + FLOW_I32.addressA] as number) % 2 === 1;
  for (let round = 0; round < 10; round += 1) table.sweep(10, 0, odd);
  expect(table.count).toBe(50);
  expect([table.find(2, 0, 0, 17) >= 0, table.find(3, 0, 0, 17)]).toEqual([true, -1]);
});
