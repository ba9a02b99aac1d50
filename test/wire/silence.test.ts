import { expect, test } from 'vitest';
import { Silence } from '../../src/wire/silence.ts';

test('looks count, and what arrives between two of them ends a silence', () => {
  const silence = new Silence();
  const looks = (count: number) => Array.from({ length: count }, () => silence.look(500));
  expect(looks(4)).toEqual([0, 500, 1_000, 1_500]);
  silence.heard();
  silence.heard();
  expect(looks(3)).toEqual([0, 500, 1_000]);
});
