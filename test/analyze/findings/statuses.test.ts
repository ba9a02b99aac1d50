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
