import { expect, test } from 'vitest';
import { DiskBudget } from '../../../src/agent/spool/disk-budget.ts';

test('each file may become as large as the bound; of many, each an equal part', () => {
  const budget = new DiskBudget(100, 40);
  for (let file = 0; file < 2; file += 1) budget.open();
  expect(budget.take(40, 0)).toBe(true);
  expect(budget.take(1, 40)).toBe(false);
  for (let file = 2; file < 10; file += 1) budget.open();
  expect(budget.take(10, 0)).toBe(true);
  expect(budget.take(1, 10)).toBe(false);
});

test('all together never take more than there is, and what is given back can be taken again', () => {
  const budget = new DiskBudget(100, 40);
  budget.open();
  budget.open();
  budget.open();
  expect(budget.take(33, 0)).toBe(true);
  expect(budget.take(33, 0)).toBe(true);
  expect(budget.take(33, 0)).toBe(true);
  expect(budget.take(2, 0)).toBe(false);
  budget.close(33);
  expect(budget.take(17, 33)).toBe(false);
  budget.give(20);
  expect(budget.take(7, 33)).toBe(true);
});
