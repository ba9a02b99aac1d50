import { expect, test } from 'vitest';
import type { FlowIdentity } from '../../../src/analyze/flow/flow-facts.ts';
import { type BuiltSegment, handshake } from '../../support/built-capture.ts';
import { codesOf, foundIn, Judged } from '../../support/found-in.ts';

const GET = 'GET /cart HTTP/1.1\r\nHost: web\r\n\r\n';
const ASKED = 101 + GET.length;
const LARGE = `HTTP/1.1 200 OK\r\nContent-Length: 1400\r\n\r\n${'x'.repeat(1300)}`;

/** A response that is sent again and again, and what the client says meanwhile. */
function response(payload: string, repeats: number, more: readonly BuiltSegment[] = []): BuiltSegment[] {
  const sent = (at: number): BuiltSegment => ({
    side: 1,
    sequence: 201,
    acknowledgment: ASKED,
    flags: 'P.',
    payload,
    at,
  });
  const again = Array.from({ length: repeats }, (_, index) => sent(10 + 200 * (2 ** (index + 1) - 1)));
  const request: BuiltSegment = { side: 0, sequence: 101, acknowledgment: 201, flags: 'P.', payload: GET, at: 5 };
  return [...handshake([100, 200]), request, sent(10), ...again, ...more].sort((a, b) => a.at - b.at);
}

/** The client is there, and has none of the response. */
const ALIVE: BuiltSegment = { side: 0, sequence: ASKED, acknowledgment: 201, at: 2000 };

test('a large segment that never arrives while the client goes on to acknowledge is an MTU black hole', () => {
  const [found] = foundIn(response(LARGE, 4, [ALIVE]));
  expect(found).toMatchObject({
    code: 'MTU_BLACKHOLE',
    severity: 'error',
    confidence: 'likely',
    subject: '10.0.0.2:80',
  });
  expect(found?.message).toContain('Large packets from 10.0.0.2:80 do not reach 10.0.0.1');
});

test('a duplicate ACK shows that a segment behind the large one arrived', () => {
  const before: BuiltSegment = { side: 0, sequence: ASKED, acknowledgment: 201, at: 11 };
  expect(codesOf(foundIn(response(LARGE, 4, [before, { ...before, at: 12 }])))).toContain('MTU_BLACKHOLE');
  // A duplicate that came before the segment was sent, and an ACK that is none.
  expect(codesOf(foundIn(response(LARGE, 4, [{ ...before, at: 7 }])))).not.toContain('MTU_BLACKHOLE');
  const other: BuiltSegment = { ...before, window: 400 };
  expect(codesOf(foundIn(response(LARGE, 4, [other])))).not.toContain('MTU_BLACKHOLE');
});

test('small segments, few repeats, a silent client, and what arrives in the end are no MTU black hole', () => {
  const codes = (segments: readonly BuiltSegment[]) => codesOf(foundIn(segments));
  expect(codes(response('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi', 4, [ALIVE]))).not.toContain('MTU_BLACKHOLE');
  expect(codes(response(LARGE.slice(0, 600), 4, [ALIVE]))).not.toContain('MTU_BLACKHOLE');
  expect(codes(response(LARGE, 2, [ALIVE]))).not.toContain('MTU_BLACKHOLE');
  expect(codes(response(LARGE, 4))).not.toContain('MTU_BLACKHOLE');
  const arrived: BuiltSegment = { ...ALIVE, acknowledgment: 201 + LARGE.length, at: 9000 };
  expect(codes(response(LARGE, 4, [ALIVE, arrived]))).not.toContain('MTU_BLACKHOLE');
});

test('a large segment that arrived before shows that the path takes it', () => {
  const next = 201 + LARGE.length;
  const again = [10, 300, 900, 2100].map(
    (at): BuiltSegment => ({ side: 1, sequence: next, acknowledgment: ASKED, payload: 'y'.repeat(1300), at: at + 20 }),
  );
  const ack: BuiltSegment = { side: 0, sequence: ASKED, acknowledgment: next, at: 12 };
  const segments = response(LARGE, 0, [ack, ...again, { ...ack, at: 2000 }]);
  expect(codesOf(foundIn(segments))).not.toContain('MTU_BLACKHOLE');
});

/** Requests of connections of their own, sent again after a time. @param workMs how long the server then takes */
function delayed(count: number, afterMs: number, workMs = 1): BuiltSegment[] {
  return Array.from({ length: count }, (_, index) => {
    const base = index * 100_000;
    const ports = [40_000 + index, 80] as const;
    const at = index * 2000;
    const request = {
      side: 0,
      sequence: base + 101,
      acknowledgment: base + 201,
      flags: 'P.',
      payload: GET,
      ports,
    } as const;
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    return [
      ...handshake([base + 100, base + 200], at).map((segment) => ({ ...segment, ports })),
      { ...request, at: at + 5 },
      { ...request, at: at + 5 + afterMs },
      {
        side: 1,
        sequence: base + 201,
        acknowledgment: base + ASKED,
        flags: 'P.',
        payload: answer,
        ports,
        at: at + 5 + afterMs + workMs,
      } as const,
    ];
  }).flat();
}

test('three waits for the retransmission timer are said with the longest', () => {
  const [found] = foundIn(delayed(3, 400));
  expect(found).toMatchObject({ code: 'RTO_STALL', severity: 'warning', cases: 3 });
  expect(found?.message).toContain('up to 400 ms');
  expect(found?.evidence[0]?.text).toMatch(/^3 connections; the longest was half of a request's time/);
  expect(foundIn(delayed(7, 400))[0]?.evidence[0]?.text).toMatch(/^7 connections;/);
});

test('two waits, and short ones, are not', () => {
  expect(foundIn(delayed(2, 400))).toEqual([]);
  expect(foundIn(delayed(5, 150))).toEqual([]);
});

test('waits that are less than half of the request’s time are not: the server is what is slow', () => {
  expect(codesOf(foundIn(delayed(3, 400, 300)))).toContain('RTO_STALL');
  expect(codesOf(foundIn(delayed(3, 400, 500)))).not.toContain('RTO_STALL');
});

test('where requests are encrypted, half of the connection’s time counts', () => {
  const encrypted = (stalledMs: number, stalls = 1) => {
    const judged = new Judged();
    const stalled = stalledMs * 1e6;
    const client = {
      stalls,
      stalled,
      longestStall: [0, stalled],
      nagle: 0,
      windowClosed: 0,
      longestWindowClosed: 0,
    };
    for (const at of [0, 2000, 4000]) {
      const seen = { protocol: 'tls', waits: { portReused: false, synAckAgain: false, client } };
      const flow: FlowIdentity = { ...judged.flow(1, 2), ...seen };
      judged.ended(
        flow,
        at,
        { state: 'closed', rtt: { client: undefined, server: undefined } },
        { last: (at + 1000) * 1e6 },
      );
    }
    return judged.found;
  };
  expect(codesOf(encrypted(600))).toContain('RTO_STALL');
  expect(codesOf(encrypted(400))).not.toContain('RTO_STALL');
  // Each wait of a connection counts.
  expect(encrypted(600, 3).find(({ code }) => code === 'RTO_STALL')?.cases).toBe(9);
});

test('waits are said from one of a hundred connections on', () => {
  const among = (others: number) => {
    const healthy = Array.from({ length: others }, (_, index) => {
      const base = (index + 10) * 100_000;
      const ports = [50_000 + index, 80] as const;
      return handshake([base + 100, base + 200], 10_000 + index).map((segment) => ({ ...segment, ports }));
    });
    return codesOf(foundIn([...delayed(3, 400), ...healthy.flat()]));
  };
  expect(among(200)).toEqual(['RTO_STALL']);
  expect(among(500)).toEqual([]);
});
