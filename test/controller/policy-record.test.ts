import { expect, test } from 'vitest';
import { POLICY_CHANGED_MS, POLICY_SETTLES_MS } from '../../src/controller/limits.ts';
import { policyRecord } from '../../src/controller/policy-record.ts';
import type { JsonObject } from '../../src/wire/guard.ts';

const CREATED = Date.parse('2026-01-01T00:00:00Z');
const NOW = CREATED + 3_600_000;

/** @param generation 1 for one that was never changed */
function object(uid: string, generation: number, creationTimestamp = '2026-01-01T00:00:00Z'): JsonObject {
  return { metadata: { uid, generation, creationTimestamp } };
}

test('what was never changed counts from its creation', () => {
  const later = object('b', 1, '2026-01-01T00:00:10Z');
  expect(policyRecord(object('a', 1), later, undefined, NOW).since).toBe(CREATED + 10_000 + POLICY_SETTLES_MS);
});

test.each([
  ['policy', object('a', 3), object('b', 1)],
  ['binding', object('a', 1), object('b', 2)],
])('a %s that was changed counts from when that was seen', (_, policy, binding) => {
  const record = policyRecord(policy, binding, undefined, NOW);
  expect(record.since).toBe(NOW + POLICY_CHANGED_MS);
  expect(policyRecord(policy, binding, record, NOW + 60_000)).toBe(record);
});

test('a policy that was weakened and restored is another one, also where nobody saw it weak', () => {
  const whole = policyRecord(object('a', 1), object('b', 1), undefined, NOW);
  const restored = policyRecord(object('a', 3), object('b', 1), whole, NOW);
  expect(restored.since).toBe(NOW + POLICY_CHANGED_MS);
  // Both numbers are compared for themselves.
  expect(policyRecord(object('a', 2), object('b', 2), restored, NOW + 1).since).toBe(NOW + 1 + POLICY_CHANGED_MS);
});

test('one that was deleted and made again counts from its creation', () => {
  const first = policyRecord(object('a', 5), object('b', 1), undefined, NOW);
  const again = policyRecord(object('c', 1, '2026-01-01T02:00:00Z'), object('b', 1), first, NOW + 7_200_000);
  expect(again.since).toBe(CREATED + 7_200_000 + POLICY_SETTLES_MS);
});

test('without a time of creation nothing is protected', () => {
  expect(policyRecord({ metadata: { uid: 'a', generation: 1 } }, object('b', 1), undefined, NOW).since).toBe(
    Number.POSITIVE_INFINITY,
  );
});
