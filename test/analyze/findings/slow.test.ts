import { expect, test } from 'vitest';
import type { Finding } from '../../../src/analyze/findings/finding.ts';
import { codesOf, Judged } from '../../support/found-in.ts';

/** Requests to a server: most of them fast, some slow. @param calls whether the server makes a slow request itself meanwhile */
function requests(fastMs: number, slowMs: number, slow: number, calls = false): Finding[] {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  const upstream = judged.flow(2, 3);
  for (let index = 0; index < 20; index += 1) judged.exchange(flow, index * 1000, fastMs);
  for (let index = 0; index < slow; index += 1) {
    const at = 60_000 + index * 10_000;
    if (calls) judged.exchange(upstream, at + 5, slowMs - 10, { route: 'GET /stock' });
    judged.exchange(flow, at, slowMs);
  }
  return judged.found;
}

test('responses that begin late are said with the route and its median', () => {
  const [found, ...others] = requests(10, 900, 3);
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    code: 'SERVER_SLOW',
    severity: 'warning',
    confidence: 'likely',
    cases: 3,
    attempts: 23,
  });
  expect(found?.message).toBe(
    '10.0.0.2:80 responds slowly to GET /cart: 3 of 23 requests took 500 ms or longer until the response began.',
  );
});

test('a server whose own requests take as long waits for another one', () => {
  const found = requests(10, 900, 5, true);
  expect(codesOf(found)).toEqual(['DEPENDENCY_SLOW', 'SERVER_SLOW']);
  expect(found[0]?.message).toContain('waits for 10.0.0.3:80');
  expect(found[1]?.subject).toBe('10.0.0.3:80');
});

test('few slow ones, slow ones that are usual, and long transfers are not', () => {
  expect(requests(10, 900, 2)).toEqual([]);
  expect(requests(10, 400, 5)).toEqual([]);
  expect(requests(300, 600, 5)).toEqual([]);
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  for (let index = 0; index < 9; index += 1)
    judged.exchange(flow, index * 1000, 900, { responseTime: index * 1e9 + 1e6 });
  expect(judged.found).toEqual([]);
});
