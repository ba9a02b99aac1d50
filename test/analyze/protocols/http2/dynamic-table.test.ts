import { expect, test } from 'vitest';
import { DynamicTable } from '../../../../src/analyze/protocols/http2/dynamic-table.ts';
import { Random } from '../../../support/random.ts';

test('the oldest entries go when there is no room, and one that is too large takes all with it', () => {
  const table = new DynamicTable(70);
  table.add('a', '1');
  table.add('b', '2');
  expect([table.length, table.size, table.at(0), table.at(1), table.at(2)]).toEqual([
    2,
    68,
    ['b', '2'],
    ['a', '1'],
    undefined,
  ]);
  table.add('c', '3');
  expect([table.at(0), table.at(1), table.at(2), table.at(-1)]).toEqual([['c', '3'], ['b', '2'], undefined, undefined]);
  table.setCapacity(40);
  expect([table.length, table.size, table.at(0)]).toEqual([1, 34, ['c', '3']]);
  table.add('d', '4'.repeat(40));
  expect([table.length, table.size, table.at(0)]).toEqual([0, 0, undefined]);
  table.add('e', '5');
  table.clear();
  expect([table.length, table.size, table.at(0)]).toEqual([0, 0, undefined]);
});

test('however entries come and go, the table is that of the RFCs', () => {
  const random = new Random(11);
  const table = new DynamicTable(100_000);
  const plain: [string, string][] = [];
  const sizeOf = ([name, value]: readonly [string, string]) => name.length + value.length + 32;
  let [capacity, size] = [100_000, 0];
  for (let step = 0; step < 20_000; step += 1) {
    if (random.below(2_000) === 0) {
      capacity = random.below(150_000);
      table.setCapacity(capacity);
    } else {
      const entry: [string, string] = [`${step}`, 'x'.repeat(random.below(8))];
      table.add(...entry);
      plain.push(entry);
      size += sizeOf(entry);
    }
    while (size > capacity) size -= sizeOf(plain.shift() ?? ['', '']);
    const index = random.below(plain.length + 10);
    expect([table.length, table.size, table.at(index)]).toEqual([plain.length, size, plain.at(-1 - index)]);
  }
});
