import { expect, test } from 'vitest';
import { codesOf, Judged } from '../../support/found-in.ts';

/** Requests that are tried several times each. */
function tried(requests: number, attempts: number, failed: boolean, hasId = true): string[] {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  for (let request = 0; request < requests; request += 1) {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const http = hasId ? { requestId: `id-${request}` } : {};
      judged.exchange(flow, request * 100 + attempt, 1, { failed, status: failed ? '503' : '200', fields: { http } });
    }
  }
  return codesOf(judged.found);
}

test('requests that come again with one id because they fail are retries', () => {
  expect(tried(10, 2, true)).toContain('RETRY_STORM');
});

test('few, single, successful ones, and those without an id are not', () => {
  expect(tried(9, 2, true)).not.toContain('RETRY_STORM');
  expect(tried(20, 1, true)).not.toContain('RETRY_STORM');
  expect(tried(20, 3, false)).not.toContain('RETRY_STORM');
  expect(tried(20, 3, true, false)).not.toContain('RETRY_STORM');
});
