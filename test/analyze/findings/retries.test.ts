import { expect, test } from 'vitest';
import { requestIdHash } from '../../../src/analyze/record/repeated-exchanges.ts';
import { type BuiltSegment, handshake } from '../../support/built-capture.ts';
import { codesOf, foundIn, Judged } from '../../support/found-in.ts';

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

test('of retries that were added up beside an agent the evidence covers all, whichever connection ends first', () => {
  const judged = new Judged();
  const ids = Array.from({ length: 20 }, (_, request) => request);
  const failing = judged.flow(1, 2);
  for (const request of ids) {
    const fields = { http: { requestId: `id-${request}` } };
    judged.exchange(failing, request, 1, { failed: true, status: '503', fields });
  }
  const counted = { requestBytes: 40, responseBytes: 40, status: '200', failed: false };
  const exchange = {
    kind: 'exchange',
    protocol: 'http',
    label: '',
    route: 'GET /cart',
    fields: {},
    ...counted,
  } as const;
  for (const [from, to, requests] of [
    [60e6, 90e6, ids.slice(10)],
    [30e6, 50e6, ids.slice(0, 10)],
  ] as const) {
    const requestIds = requests.map((request) => requestIdHash(`id-${request}`));
    const sums = { count: 10, first: from, requestBytes: 400, responseBytes: 400, times: {}, requestIds };
    const last = { ...exchange, time: to, requestEnd: to, responseTime: to, responseEnd: to };
    judged.repeated({ exchange: last, ...sums }, judged.flow(1, 2));
  }
  const [storm] = judged.found.filter(({ code }) => code === 'RETRY_STORM');
  expect(storm).toMatchObject({ attempts: 40, cases: 20, evidence: [{ times: [30e6, 90e6] }] });
});

test.each(['x-request-id', 'X-Request-Id'])('the id is read from the requests themselves: %s', (name) => {
  const segments: BuiltSegment[] = handshake([1000, 5000]);
  let [sent, received] = [1001, 5001];
  const answer = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n';
  for (let index = 0; index < 36; index += 1) {
    const request = `GET /pay HTTP/1.1\r\nHost: web\r\n${name}: id${index % 12}\r\n\r\n`;
    const at = 10 + index * 10;
    segments.push({ side: 0, sequence: sent, acknowledgment: received, flags: 'P.', payload: request, at });
    sent += request.length;
    segments.push({ side: 1, sequence: received, acknowledgment: sent, flags: 'P.', payload: answer, at: at + 1 });
    received += answer.length;
  }
  const storm = foundIn(segments).find(({ code }) => code === 'RETRY_STORM');
  expect(storm?.message).toContain('12 requests were sent 36 times, 3.0 times each');
});
