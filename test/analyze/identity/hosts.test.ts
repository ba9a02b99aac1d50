import { expect, test } from 'vitest';
import { Hosts } from '../../../src/analyze/identity/hosts.ts';
import { Random } from '../../support/random.ts';

test('an address has one number, whatever came between, and its text', () => {
  const hosts = new Hosts();
  const random = new Random(3);
  const known = new Map<string, number>();
  for (let step = 0; step < 20_000; step += 1) {
    const length = random.below(2) === 0 ? 4 : 16;
    const bytes = Buffer.alloc(20);
    for (let at = 0; at < length; at += 1) bytes[2 + at] = random.below(at === length - 1 ? 256 : 3);
    const key = bytes.subarray(2, 2 + length).toString('hex');
    const number = hosts.number(bytes, 2, length);
    expect(number).toBe(known.get(key) ?? hosts.count - 1);
    known.set(key, number);
  }
  expect(hosts.count).toBe(known.size);
  expect(hosts.text(hosts.number(Buffer.from([10, 0, 0, 1]), 0, 4))).toBe('10.0.0.1');
});
