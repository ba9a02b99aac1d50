import { expect, test } from 'vitest';
import { findings } from '../../../src/run/analysis/findings.ts';
import { state as stateOutput } from '../../../src/run/analysis/state.ts';
import type { NetworkState } from '../../../src/wire/network-state.ts';
import { stateBlock } from '../../../src/wire/network-state.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { BUILT_EPOCH_NS, type BuiltSegment, builtPcapng } from '../../support/built-capture.ts';

const PLACE = ['shop/web-1/any', 'shop/client/any'];
const NAMES = { '10.0.0.2': 'shop/web-1' };

/** A capture in the pod web-1 with its states at the beginning and after a minute. */
function capture(segments: readonly BuiltSegment[], ...states: NetworkState[]): Buffer {
  const blocks = states.flatMap((state, index) => {
    return stateBlock({ interfaceId: 0, time: BUILT_EPOCH_NS + BigInt(index) * 60_000_000_000n, state }) ?? [];
  });
  const empty = builtPcapng([], PLACE);
  // Packets begin where the end marker of the empty capture does: every block ends with its length.
  const start = empty.length - empty.readUInt32LE(empty.length - 4);
  const all = builtPcapng(segments, PLACE);
  const [first = Buffer.alloc(0), ...later] = blocks;
  return Buffer.concat([all.subarray(0, start), first, all.subarray(start), ...later]);
}

function found(segments: readonly BuiltSegment[], ...states: NetworkState[]) {
  const { lines } = analysisLines(findings, capture(segments, ...states), NAMES);
  return (JSON.parse(lines[0] ?? '{}') as { findings: { code: string; confidence: string; message: string }[] })
    .findings;
}

const refused: BuiltSegment[] = [0, 1, 2, 3].flatMap((index) => {
  const ports = [40_000 + index, 8080] as const;
  const sequence = 1000 + index * 100_000;
  return [
    { side: 0, sequence, flags: 'S', at: index * 10, ports },
    { side: 1, sequence: 0, acknowledgment: sequence + 1, flags: 'R.', at: index * 10 + 1, ports },
  ];
});

const listening = (address: string, port: number): NetworkState => ({
  counters: {},
  listening: [{ address, port, queue: 0 }],
});

test('an accept queue that overflowed is proven by the kernel, and one that did so before is not said', () => {
  const before = { counters: { 'TcpExt ListenOverflows': 4 } };
  const [finding, ...others] = found([], before, {
    counters: { 'TcpExt ListenOverflows': 11 },
    listening: [{ address: '0.0.0.0', port: 8080, queue: 129 }],
  });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ code: 'ACCEPT_QUEUE_FULL', confidence: 'proven' });
  expect(finding?.message).toBe(
    'shop/web-1 does not accept connections fast enough on port 8080: its accept queue was full 7 times.',
  );
  expect(found([], before, before)).toEqual([]);
  expect(found([], before)).toEqual([]);
});

test('a counter that fell is of another namespace: nothing is said', () => {
  expect(
    found([], { counters: { 'TcpExt ListenOverflows': 9 } }, { counters: { 'TcpExt ListenOverflows': 3 } }),
  ).toEqual([]);
});

test('conntrack from 95 % of its entries on', () => {
  const full = (count: number): NetworkState => ({ counters: {}, conntrack: { count, maximum: 100 } });
  expect(found([], full(94), full(94))).toEqual([]);
  expect(found([], full(94), full(95))).toMatchObject([{ code: 'CONNTRACK_FULL', severity: 'warning' }]);
});

test('a full conntrack explains connections without a response, those that were seen at its place only', () => {
  const full: NetworkState = { counters: {}, conntrack: { count: 99, maximum: 100 } };
  const lost = [...opening(0, 4, false), ...opening(1, 4, false), ...opening(2, 4, false)];
  const [finding, ...others] = found(lost, full, full);
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ code: 'CONNTRACK_FULL', severity: 'error', cases: 3 });
  const elsewhere = found(
    lost.map((segment) => ({ ...segment, interfaceId: 1 })),
    full,
    full,
  );
  expect(elsewhere).toMatchObject([{ code: 'CONNECT_TIMEOUT' }, { code: 'CONNTRACK_FULL', severity: 'warning' }]);
});

test('a server that listens on loopback alone is told from one that does not listen', () => {
  const open = listening('0.0.0.0', 8080);
  const loopback = listening('127.0.0.1', 8080);
  const other = listening('0.0.0.0', 9090);
  expect(found(refused, loopback, loopback)).toMatchObject([{ code: 'POD_LISTENS_ON_LOOPBACK', confidence: 'proven' }]);
  expect(found(refused, other, other)).toMatchObject([{ code: 'POD_NOT_LISTENING', confidence: 'proven' }]);
  expect(found(refused, open, open)).toMatchObject([{ code: 'POD_NOT_LISTENING', confidence: 'likely' }]);
  expect(found(refused)).toMatchObject([{ code: 'POD_NOT_LISTENING', confidence: 'likely' }]);
  expect(found(refused, other, { ...other, socketsCut: true })).toMatchObject([{ confidence: 'likely' }]);
});

test('-o state tells the last state and what changed', () => {
  const first = { counters: { 'Tcp RetransSegs': 5, 'Tcp InSegs': 9 } };
  const last = { ...listening('::', 8080), counters: { 'Tcp RetransSegs': 8, 'Tcp InSegs': 9 } };
  const { lines } = analysisLines(stateOutput, capture([], first, last));
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      type: 'state',
      interface: 'shop/web-1/any',
      milliseconds: 60_000,
      state: last,
      changes: [{ counter: 'Tcp RetransSegs', change: 3, total: 8 }],
    },
  ]);
});

/** A connection of which the first SYNs are lost. @param syns how many are sent @param answered whether the last is */
function opening(index: number, syns: number, answered: boolean): BuiltSegment[] {
  const ports = [41_000 + index, 443] as const;
  const sequence = 5000 + index * 100_000;
  const at = index * 5;
  const sent: BuiltSegment[] = Array.from({ length: syns }, (_, again) => ({
    side: 0,
    sequence,
    flags: 'S',
    at: at + again * 1000,
    ports,
  }));
  if (!answered) return sent;
  const later = at + (syns - 1) * 1000;
  return [
    ...sent,
    { side: 1, sequence: 900, acknowledgment: sequence + 1, flags: 'S.', at: later + 1, ports },
    { side: 0, sequence: sequence + 1, acknowledgment: 901, flags: '.', at: later + 2, ports },
  ];
}

test('connections that need a second SYN while conntrack fails to insert collide in a translated port', () => {
  const before = { counters: {} };
  const after = { counters: { 'Conntrack insert_failed': 3 } };
  const retried = (count: number) => Array.from({ length: count }, (_, index) => opening(index, 2, true)).flat();
  expect(found(retried(3), before, after)).toMatchObject([
    {
      code: 'SNAT_PORT_RACE',
      confidence: 'likely',
      message: expect.stringMatching(
        / lose their first SYN when two of them get the same translated port: 3 connections came up only with a later SYN\.$/,
      ),
    },
  ]);
  expect(found(retried(3), before, before)).toEqual([]);
  expect(found(retried(2), before, after)).toEqual([]);
  const smooth = Array.from({ length: 5 }, (_, index) => opening(index, 1, true)).flat();
  expect(found(smooth, before, after)).toEqual([]);
});

test('translated ports that are used up, with new connections lost', () => {
  const table = (count: number): NetworkState => ({
    counters: {},
    portRange: { first: 32_768, last: 60_999 },
    snatPorts: [{ address: '192.0.2.1', destination: '10.0.0.2', port: 443, count }],
  });
  const lost = [...opening(0, 4, false), ...opening(1, 4, false)];
  const codes = (segments: BuiltSegment[], count: number) =>
    found(segments, table(count), table(count)).map(({ code }) => code);
  expect(codes(lost, 25_500)).toContain('SNAT_PORTS_EXHAUSTED');
  expect(codes(lost, 25_000)).not.toContain('SNAT_PORTS_EXHAUSTED');
  expect(codes(opening(0, 1, true), 28_000)).toEqual([]);
});

/** Requests to the pod, with responses so much later. @param slow of ten requests @param ms the slow ones' time */
function requests(slow: number, ms: number): BuiltSegment[] {
  return Array.from({ length: 10 }, (_, index): BuiltSegment[] => {
    const ports = [42_000 + index, 80] as const;
    const sequence = 7000 + index * 100_000;
    const at = index * 400;
    const text = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    const taken = index < slow ? ms : 1;
    return [
      { side: 0, sequence, flags: 'S', at, ports },
      { side: 1, sequence: 900, acknowledgment: sequence + 1, flags: 'S.', at: at + 1, ports },
      { side: 0, sequence: sequence + 1, acknowledgment: 901, flags: '.', at: at + 2, ports },
      { side: 0, sequence: sequence + 1, acknowledgment: 901, flags: 'P.', at: at + 3, payload: text, ports },
      {
        side: 1,
        sequence: 901,
        acknowledgment: sequence + 1 + text.length,
        flags: 'P.',
        at: at + 3 + taken,
        payload: answer,
        ports,
      },
    ];
  }).flat();
}

test('a CPU limit that stops a pod is information, and a warning with slow requests', () => {
  const first: NetworkState = { counters: { 'Cgroup web nr_periods': 100 } };
  const last = (throttled: number, periods = 300): NetworkState => ({
    counters: {
      'Cgroup web nr_periods': 100 + periods,
      'Cgroup web nr_throttled': throttled,
      'Cgroup web throttled_usec': 4_000_000,
    },
  });
  const [warning, ...others] = found(requests(4, 80), first, last(30));
  expect(others).toEqual([]);
  expect(warning).toMatchObject({ code: 'CPU_THROTTLED', severity: 'warning', confidence: 'proven' });
  expect(warning?.message).toBe(
    'shop/web-1 (container web) is stopped by its CPU limit in 30 of 300 periods, and 4 of 10 requests took 50 ms or longer until the response began.',
  );
  expect(found(requests(0, 1), first, last(30))).toMatchObject([{ code: 'CPU_THROTTLED', severity: 'information' }]);
  expect(found(requests(4, 40), first, last(30))).toMatchObject([{ severity: 'information' }]);
  expect(found(requests(4, 80), first, last(14))).toEqual([]);
  expect(found(requests(4, 80), first, last(10, 15))).toEqual([]);
});

test('SYNs that got no response at a pod whose accept queue was full are explained by it', () => {
  const lost = [0, 1, 2].flatMap((index) => opening(index, 4, false));
  const after = { counters: { 'TcpExt ListenOverflows': 12 } };
  expect(found(lost, { counters: {} }, after).map(({ code }) => code)).toEqual(['ACCEPT_QUEUE_FULL']);
  expect(found(lost, after, after).map(({ code }) => code)).toEqual(['CONNECT_TIMEOUT']);
});
