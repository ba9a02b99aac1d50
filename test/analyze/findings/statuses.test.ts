import { expect, test } from 'vitest';
import type { Finding } from '../../../src/analyze/findings/finding.ts';
import { Judged } from '../../support/found-in.ts';

/** Requests to a server, some of them refused at its limit of streams, and events of other connections to it. */
function found(requests: number, refused: number, code: string, labels: readonly string[]): Finding[] {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  for (let index = 0; index < requests; index += 1)
    judged.exchange(flow, index, 1, index < refused ? { failed: true, status: 'RST REFUSED_STREAM' } : {});
  for (const [index, label] of labels.entries()) {
    const base = { kind: 'event', protocol: 'http', from: 1, fields: {}, time: index * 1e6 } as const;
    judged.event({ ...base, code, label, failed: code === 'HTTP2_GOAWAY' }, judged.flow(1, 2));
  }
  return judged.found;
}

test('connections that a server ends are counted as connections', () => {
  const [one, ...others] = found(500, 0, 'HTTP2_GOAWAY', ['GOAWAY ENHANCE_YOUR_CALM: too_many_pings']);
  expect(others).toEqual([]);
  expect(one).toMatchObject({ code: 'HTTP2_TOO_MANY_PINGS', cases: 1, attempts: 1 });
  expect(one?.message).toMatch(/: 1 connection\.$/);
});

test('one connection on which requests waited for the limit of streams is enough, refused requests need 1 %', () => {
  const label = '20 requests waited for the limit of 1 streams';
  const [waited] = found(500, 0, 'HTTP2_STREAM_LIMIT', [label]);
  expect(waited).toMatchObject({ code: 'HTTP2_STREAM_LIMIT', cases: 1, attempts: 1 });
  expect(waited?.message).toMatch(/: 1 connection\.$/);
  expect(found(500, 2, '', [])).toEqual([]);
  expect(found(500, 3, '', [])[0]?.message).toMatch(/: 3 of 500 requests\.$/);
  const [both] = found(500, 3, 'HTTP2_STREAM_LIMIT', [label, label]);
  expect(both).toMatchObject({ cases: 5, attempts: 502 });
  expect(both?.message).toMatch(/: 3 of 500 requests and 2 connections\.$/);
});

test('a call that the client cancels at its deadline exceeded it', () => {
  const cancelled = (timeout: number | undefined, resetAfter: number, endedBy: 0 | 1 = 0) => {
    const judged = new Judged();
    const flow = judged.flow(1, 2);
    for (let index = 0; index < 3; index += 1)
      judged.exchange(flow, index * 1000, 1, {
        ...{ protocol: 'grpc', label: 'shop.Cart/Get', route: 'shop.Cart/Get', status: 'RST CANCEL', failed: true },
        ...{ incomplete: 'reset', endedBy, responseTime: undefined, responseEnd: undefined, responseBytes: 0 },
        fields: { grpc: { timeout, resetAfter } },
      });
    return judged.found.map(({ code }) => code);
  };
  expect(cancelled(300e6, 301e6)).toEqual(['GRPC_DEADLINE']);
  expect(cancelled(300e6, 284e6)).toEqual(['CLIENT_GAVE_UP']);
  expect(cancelled(300e6, 316e6)).toEqual(['CLIENT_GAVE_UP']);
  expect(cancelled(undefined, 300e6)).toEqual(['CLIENT_GAVE_UP']);
  expect(cancelled(300e6, 300e6, 1)).not.toContain('GRPC_DEADLINE');
});

test('400 to a large head is about its size, to a large body or a small head it is not', () => {
  const rejected = (route: string, requestBytes: number, status = '400') => {
    const judged = new Judged();
    const flow = judged.flow(1, 2);
    for (let index = 0; index < 3; index += 1) judged.exchange(flow, index, 1, { route, requestBytes, status });
    return judged.found.map(({ code }) => code);
  };
  expect(rejected('GET /', 8192)).toEqual(['HEADER_TOO_LARGE']);
  expect(rejected('GET /', 60, '431')).toEqual(['HEADER_TOO_LARGE']);
  expect(rejected('GET /', 8191)).toEqual([]);
  expect(rejected('POST /', 90_000)).toEqual([]);
  expect(rejected('GET /', 90_000, '404')).toEqual([]);
});
