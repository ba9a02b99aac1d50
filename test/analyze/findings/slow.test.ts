import { expect, test } from 'vitest';
import type { Finding } from '../../../src/analyze/findings/finding.ts';
import { codesOf, Judged } from '../../support/found-in.ts';

/** Requests to a server: most of them fast, some slow. @param calls how many of them the server makes a request during, for a share of the time */
function requests(fastMs: number, slowMs: number, slow: number, calls = 0, share = 0.99): Finding[] {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  const upstream = judged.flow(2, 3);
  for (let index = 0; index < 20; index += 1) judged.exchange(flow, index * 1000, fastMs);
  for (let index = 0; index < slow; index += 1) {
    const at = 60_000 + index * 10_000;
    if (index < calls) judged.exchange(upstream, at + 1, slowMs * share - 2, { route: 'GET /stock' });
    judged.exchange(flow, at, slowMs);
  }
  return judged.found;
}

test('responses that begin late are said with the route and its median', () => {
  const [found, ...others] = requests(60, 900, 3);
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
  const found = requests(10, 900, 5, 5);
  expect(codesOf(found)).toEqual(['DEPENDENCY_SLOW', 'SERVER_SLOW']);
  expect(found[0]?.message).toContain('waits for 10.0.0.3:80');
  expect(found[1]?.subject).toBe('10.0.0.3:80');
});

test('requests that cover less than most of the time, or of the slow responses, explain nothing', () => {
  expect(codesOf(requests(10, 900, 5, 5, 0.5))).toEqual(['SERVER_SLOW']);
  expect(codesOf(requests(10, 900, 5, 2)).slice(0, 1)).toEqual(['SERVER_SLOW']);
  expect(codesOf(requests(10, 900, 5, 2))).not.toContain('DEPENDENCY_SLOW');
});

test('a server that is always slow is said from five requests on', () => {
  const always = (count: number) => {
    const judged = new Judged();
    const flow = judged.flow(1, 2);
    for (let index = 0; index < count; index += 1) judged.exchange(flow, index * 1000, 700);
    return codesOf(judged.found);
  };
  expect(always(5)).toEqual(['SERVER_SLOW']);
  expect(always(4)).toEqual([]);
});

test('few slow ones, slow ones that are usual, and long transfers are not', () => {
  expect(requests(10, 900, 2)).toEqual([]);
  expect(requests(10, 400, 5)).toEqual([]);
  expect(requests(300, 600, 5)).toEqual([]);
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  for (let index = 0; index < 9; index += 1)
    judged.exchange(flow, index * 1000, 1200, { responseTime: index * 1e9 + 6e8 });
  expect(judged.found).toEqual([]);
});

test('responses that may be those of earlier requests, not seen, count: the own ones came later still', () => {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  for (let index = 0; index < 9; index += 1) judged.exchange(flow, index * 1000, 700, { incomplete: 'unknown' });
  expect(codesOf(judged.found)).toEqual(['SERVER_SLOW']);
  const cut = new Judged();
  for (let index = 0; index < 9; index += 1) cut.exchange(cut.flow(1, 2), index * 1000, 700, { incomplete: 'reset' });
  expect(codesOf(cut.found)).not.toContain('SERVER_SLOW');
});
