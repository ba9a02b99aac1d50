import { expect, it } from 'vitest';
import { REQUESTS, RESPONSES } from '../../../../src/analyze/protocols/kafka/schemas.ts';

it('can read what is written of every API', () => {
  const keys = Array.from({ length: 128 }, (_, key) => key);
  for (const table of [REQUESTS, RESPONSES]) {
    const known = keys.filter((key) => table.get(key) !== undefined);
    expect(known.length).toBeGreaterThan(20);
    expect(known.map((key) => table.get(key)?.length).every((parts) => parts !== undefined && parts > 0)).toBe(true);
  }
  expect(REQUESTS.get(0)).toBe(REQUESTS.get(0));
  expect(REQUESTS.get(-1)).toBeUndefined();
});
