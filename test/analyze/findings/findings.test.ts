import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FINDING_CODES } from '../../../src/analyze/findings/index.ts';
import { findings, isFailing } from '../../../src/run/analysis/findings.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';
import { Judged } from '../../support/found-in.ts';

interface Shown {
  readonly code: string;
  readonly severity: string;
  readonly confidence: string;
  readonly subject: string;
  readonly message: string;
}

function found(bytes: Uint8Array, names: Readonly<Record<string, string>> = {}): Shown[] {
  const { lines, session } = analysisLines(findings, bytes, names);
  const report = JSON.parse(lines[0] ?? '{}') as { findings: Shown[] };
  expect(session.found.map(({ code }) => code)).toEqual(report.findings.map(({ code }) => code));
  return report.findings;
}

const codes = (shown: readonly Shown[]) => shown.map(({ code }) => code);

const syn = (at: number, port = 40_000): BuiltSegment => ({
  side: 0,
  sequence: 1000,
  flags: 'S',
  at,
  ports: [port, 80],
});

/** A request and what comes back, on a connection of its own. */
function exchange(request: string, response: string | undefined, port = 40_000, start = 0): BuiltSegment[] {
  const ports = [port, 80] as const;
  // Connections with the same numbers would be legs of one.
  const base = (port - 40_000) * 100_000;
  const asked = base + 1001 + request.length;
  const at = start + 3;
  const opened = handshake([base + 1000, base + 5000], start).map((segment) => ({ ...segment, ports }));
  const sent: BuiltSegment = {
    side: 0,
    sequence: base + 1001,
    acknowledgment: base + 5001,
    flags: 'P.',
    payload: request,
    at,
    ports,
  };
  if (response === undefined) return [...opened, sent];
  const answer = {
    side: 1,
    sequence: base + 5001,
    acknowledgment: asked,
    flags: 'P.',
    payload: response,
    at: at + 5,
    ports,
  } as const;
  return [...opened, sent, answer];
}

const GET = 'GET /cart HTTP/1.1\r\nHost: web\r\n\r\n';

// The capture has packets of one direction only: the responses may take a way that is not captured.
test('SYNs without a response are said, a healthy exchange is not', () => {
  const [one, ...others] = found(builtPcap([syn(0), syn(1000), syn(3000)]), { '10.0.0.2': 'web.shop' });
  expect(others).toEqual([]);
  expect(one).toMatchObject({ code: 'CONNECT_TIMEOUT', severity: 'error', confidence: 'likely', subject: 'web.shop' });
  expect(one?.message).toBe('web.shop does not answer: the only connection got no response to the SYN.');
  expect(found(builtPcap(exchange(GET, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')))).toEqual([]);
});

test('one SYN at the end of a capture is nothing: its response may come', () => {
  expect(found(builtPcap([syn(0)]))).toEqual([]);
});

test('a reset in response to the SYN is a port where nobody listens, likely', () => {
  const refused = [0, 1, 2].flatMap((index): BuiltSegment[] => [
    syn(index * 10, 40_000 + index),
    { side: 1, sequence: 0, acknowledgment: 1001, flags: 'R.', at: index * 10 + 1, ports: [40_000 + index, 80] },
  ]);
  expect(found(builtPcap(refused))).toMatchObject([
    { code: 'POD_NOT_LISTENING', confidence: 'likely', message: expect.stringContaining('all 3 connections') },
  ]);
});

test('a gateway’s errors are said from 1 % on, not below', () => {
  const answered = (count: number, bad: number) =>
    builtPcap(
      Array.from({ length: count }, (_, index) => {
        const status = index < bad ? '503 no' : '200 OK';
        return exchange(GET, `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`, 40_000 + index, index * 20);
      }).flat(),
    );
  expect(codes(found(answered(20, 4)))).toEqual(['GATEWAY_ERROR']);
  expect(found(answered(300, 2))).toEqual([]);
});

test('a response that ends before its end is said with who ended it', () => {
  const cut = exchange(GET, 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhi');
  const last = cut.at(-1);
  const end = 5001 + Buffer.byteLength(`${last?.payload}`);
  const closed: BuiltSegment = { side: 1, sequence: end, acknowledgment: 1001 + GET.length, flags: 'F.', at: 20 };
  expect(found(builtPcap([...cut, closed]))).toMatchObject([
    { code: 'RESPONSE_CUT', severity: 'error', message: expect.stringMatching(/^10\.0\.0\.2:80 ends the connection/) },
  ]);
  const left: BuiltSegment = { ...closed, side: 0, sequence: 1001 + GET.length, acknowledgment: end, flags: 'R.' };
  expect(found(builtPcap([...cut, left]))).toMatchObject([
    { code: 'RESPONSE_CUT', severity: 'information', message: expect.stringMatching(/^Clients of 10\.0\.0\.2:80 end/) },
  ]);
});

test('a client that leaves before the response is told apart from a server that does', () => {
  const left: BuiltSegment = { side: 0, sequence: 1001 + GET.length, acknowledgment: 5001, flags: 'R.', at: 900 };
  expect(codes(found(builtPcap([...exchange(GET, undefined), left])))).toEqual(['CLIENT_GAVE_UP']);
});

test('a server that closes a used connection as a request comes is a race of keep-alives', () => {
  const response = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const first = exchange(GET, response);
  const asked = 1001 + GET.length;
  const answered = 5001 + response.length;
  const second: BuiltSegment = {
    side: 0,
    sequence: asked,
    acknowledgment: answered,
    flags: 'P.',
    payload: GET,
    at: 60_000,
  };
  const reset: BuiltSegment = { side: 1, sequence: answered, acknowledgment: asked, flags: 'R.', at: 60_001 };
  expect(found(builtPcap([...first, second, reset]))).toMatchObject([{ code: 'KEEPALIVE_RACE', confidence: 'likely' }]);
});

test('idle times of one limit make the race likely, others a hint', () => {
  const raced = (...idles: readonly number[]) => {
    const judged = new Judged();
    idles.forEach((idle, index) => {
      const flow = judged.flow(1, 2);
      const at = index * 1000;
      judged.exchange(flow, at, 1);
      const none = { responseTime: undefined, responseEnd: undefined, responseBytes: 0, status: '' };
      judged.exchange(flow, at + 1 + idle, 0, { ...none, incomplete: 'no response', endedBy: 1, failed: true });
      judged.ended(flow, at, { state: 'closed', closedBy: 'server' }, { last: (at + 2 + idle) * 1e6, payload: 80 });
    });
    return judged.found.find(({ code }) => code === 'KEEPALIVE_RACE');
  };
  expect(raced(60_000, 60_100, 61_000, 60_200)).toMatchObject({ confidence: 'likely', cases: 4 });
  expect(raced(60_000, 60_100, 61_000)?.evidence[0]?.text).toContain('the connections had been idle for 60 s');
  expect(raced(5000, 30_000, 61_000, 90_000)).toMatchObject({ confidence: 'hint', cases: 4 });
  expect(raced(5000, 30_000, 61_000)?.evidence[0]?.text).toContain('idle for 5.0 s to 61 s');
  expect(raced(900, 800, 700)).toBeUndefined();
});

test('connections that are older than the capture and fail with their first request in it make the race a hint', () => {
  const raced = (count: number, midstream: boolean) => {
    const judged = new Judged();
    for (let index = 0; index < count; index += 1) {
      const flow = judged.flow(1, 2);
      const at = 20_000 + index;
      const none = { responseTime: undefined, responseEnd: undefined, responseBytes: 0, status: '' };
      judged.exchange(flow, at, 0, { ...none, incomplete: 'reset', endedBy: 1, failed: true });
      judged.ended(flow, at, { state: 'reset', resetBy: 'server', midstream }, { last: (at + 1) * 1e6, payload: 80 });
    }
    return judged.found.find(({ code }) => code === 'KEEPALIVE_RACE');
  };
  expect(raced(3, true)).toMatchObject({ confidence: 'hint', cases: 3 });
  expect(raced(3, true)?.evidence[0]?.text).toContain('the request is their first packet');
  expect(raced(2, true)).toBeUndefined();
  // A server that resets new connections fails on their requests.
  expect(raced(3, false)).toBeUndefined();
});

test('loss needs a thousand packets and 1 %', () => {
  const transfer = (again: number): BuiltSegment[] => {
    const segments = exchange(GET, 'HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
    let next = 5001 + Buffer.byteLength(`${segments.at(-1)?.payload}`);
    for (let index = 0; index < 1200; index += 1) {
      const data: BuiltSegment = {
        side: 1,
        sequence: next,
        acknowledgment: 1001 + GET.length,
        payload: 'x'.repeat(100),
        at: 20 + index,
      };
      segments.push(data);
      if (index < again) segments.push({ ...data, at: 20 + index + 0.5 });
      next += 100;
    }
    return segments;
  };
  expect(codes(found(builtPcap(transfer(40))))).toContain('PACKET_LOSS');
  expect(codes(found(builtPcap(transfer(2))))).not.toContain('PACKET_LOSS');
});

test('of DNS: what does not exist is said, what resolves is not', () => {
  const file = join(import.meta.dirname, '../../run/analysis/captures/syn-unanswered.pcapng');
  expect(codes(found(readFileSync(file)))).toEqual(['CONNECT_TIMEOUT']);
});

test('an exit code can depend on a code or a severity', () => {
  const list = [{ code: 'DNS_FAILS', severity: 'warning' }] as const;
  expect(isFailing(list, 'DNS_FAILS')).toBe(true);
  expect(isFailing(list, 'DNS_SLOW')).toBe(false);
  expect(isFailing(list, 'warning')).toBe(true);
  expect(isFailing(list, 'information')).toBe(true);
  expect(isFailing(list, 'error')).toBe(false);
});

test('every code is in docs/findings.md, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/findings.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((match) => match[1]);
  expect(listed.sort()).toEqual([...FINDING_CODES]);
});
