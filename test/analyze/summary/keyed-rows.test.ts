import { expect, it } from 'vitest';
import { ExchangeRow } from '../../../src/analyze/summary/exchange-rows.ts';
import { KEYS_MAXIMUM, KeyedRows } from '../../../src/analyze/summary/keyed-rows.ts';
import { Random } from '../../support/random.ts';
import { exchange } from '../made-events.ts';

it('counts the exchanges of each key in a row of its own, and of keys past the bound in the row `other`', () => {
  const rows = new KeyedRows();
  const single = new Map<string, ExchangeRow>();
  const random = new Random(7);
  for (let index = 0; index < 12_000; index += 1) {
    const key = `A n${random.below(KEYS_MAXIMUM + 200)}`;
    const made = exchange({ protocol: 'dns', requestBytes: random.below(300), failed: random.below(9) === 0 });
    rows.add(key, made);
    const name = single.has(key) || single.size < KEYS_MAXIMUM - 1 ? key : 'other';
    const row = single.get(name) ?? new ExchangeRow();
    single.set(name, row);
    row.add(made);
  }
  expect(single.has('other')).toBe(true);
  expect([...rows.entries()].map(([name, row]) => [name, row.state()])).toEqual(
    [...single].map(([name, row]) => [name, row.state()]),
  );
});

it('keeps the row of a key', () => {
  const rows = new KeyedRows();
  const row = rows.of('A web');
  for (let index = 0; index < KEYS_MAXIMUM; index += 1) rows.of(`A n${index}`);
  expect(rows.of('A web')).toBe(row);
  expect(rows.of('A late')).toBe(rows.of('other'));
});
