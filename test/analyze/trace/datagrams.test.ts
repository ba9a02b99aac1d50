import { expect, test } from 'vitest';
import { DatagramMarks } from '../../../src/analyze/trace/datagram-marks.ts';
import { type End, TracedCapture } from '../../support/traced-capture.ts';
import { brief, CLIENT, sum, tracesOf } from './traces.ts';

const DNS: End = ['10.96.0.10', 53];
const COREDNS: End = ['10.244.0.3', 53];
const UPSTREAM: End = ['192.168.0.53', 53];
const NAMES = {
  '10.96.0.10': 'kube-dns.kube-system',
  '10.244.0.3': 'kube-system/coredns-1',
  '192.168.0.53': 'resolver.example',
};

/** A query, or its response with one address (RFC 1035, section 4.1). */
function message(id: number, name: string, { type = 1, answer = false } = {}): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(answer ? 0x8180 : 0x0100, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(answer ? 1 : 0, 6);
  const question = Buffer.concat([...labels, Buffer.of(0, 0, type, 0, 1)]);
  const data = type === 1 ? Buffer.of(192, 0, 2, 7) : Buffer.alloc(16, 7);
  const record = Buffer.concat([Buffer.of(0xc0, 12, 0, type, 0, 1, 0, 0, 0, 30, 0, data.length), data]);
  return Buffer.concat(answer ? [head, question, record] : [head, question]);
}

const throughService = [
  { interfaceId: 0, ttl: 64 },
  { interfaceId: 1, ttl: 62, server: COREDNS, ahead: 400 },
];
const INTERFACES = ['shop/client-1/any', 'kube-system/coredns-1/any'];

test('a query through the DNS Service and on to another resolver is one trace', () => {
  const capture = new TracedCapture(INTERFACES);
  const ends = [[CLIENT, 40_000] as const, DNS] as const;
  const asked = message(7, 'api.example');
  capture.datagram(throughService, ends, 0, asked, [1010, 1011]);
  const outward = [[COREDNS[0], 50_000] as const, UPSTREAM] as const;
  const here = [{ interfaceId: 1, ahead: 400 }];
  capture
    .datagram(here, outward, 0, message(99, 'api.example'), [1012])
    .datagram(here, outward, 1, message(99, 'api.example', { answer: true }), [1032])
    .datagram(throughService, ends, 1, message(7, 'api.example', { answer: true }), [1034, 1033]);
  const traces = tracesOf(capture, NAMES);
  expect(traces).toHaveLength(1);
  const [one] = traces;
  expect(one).toMatchObject({ protocol: 'dns', label: 'A api.example', total: 24e6 });
  expect(one?.hops.filter(({ latency }) => latency > 0).map(brief)).toEqual([
    'shop/client-1 > kube-system/coredns-1 network 2',
    'kube-system/coredns-1 proxy 1',
    'kube-system/coredns-1 > resolver.example beyond 20',
    'kube-system/coredns-1 proxy 1',
  ]);
  expect(one?.hops.find(({ kind }) => kind === 'beyond')).toMatchObject({ confidence: 'likely', depth: 1 });
  expect(sum(one?.hops ?? [])).toBe(one?.total);
});

test('A and AAAA that are asked for at once each have the query of the same type', () => {
  const capture = new TracedCapture(INTERFACES);
  const ends = [[CLIENT, 40_000] as const, DNS] as const;
  const here = [{ interfaceId: 1, ahead: 400 }];
  const types = [1, 28] as const;
  for (const [index, type] of types.entries()) {
    capture.datagram(throughService, ends, 0, message(7 + index, 'api.example', { type }), [
      1010 + index / 10,
      1011 + index / 10,
    ]);
  }
  for (const [index, type] of types.entries()) {
    const outward = [[COREDNS[0], 50_000 + index] as const, UPSTREAM] as const;
    capture
      .datagram(here, outward, 0, message(90 + index, 'api.example', { type }), [1012 + index / 10])
      .datagram(here, outward, 1, message(90 + index, 'api.example', { type, answer: true }), [1022 + index * 10]);
  }
  for (const [index, type] of types.entries()) {
    capture.datagram(throughService, ends, 1, message(7 + index, 'api.example', { type, answer: true }), [
      1034 + index,
      1033 + index,
    ]);
  }
  const traces = tracesOf(capture, NAMES);
  expect(
    traces.map(({ label, hops, ambiguous }) => [label, hops.find(({ kind }) => kind === 'beyond')?.label, ambiguous]),
  ).toEqual([
    ['A api.example', 'A api.example', undefined],
    ['AAAA api.example', 'AAAA api.example', undefined],
  ]);
});

test('a query that was sent again is lost behind the last place that saw the first one', () => {
  const capture = new TracedCapture(INTERFACES);
  const ends = [[CLIENT, 40_000] as const, DNS] as const;
  const asked = message(7, 'api.example');
  // The flow's first datagram joins both sides of the Service.
  capture
    .datagram(throughService, ends, 0, message(6, 'x.example'), [1000, 1001])
    .datagram(throughService, ends, 1, message(6, 'x.example', { answer: true }), [1003, 1002])
    .datagram(throughService, ends, 0, asked, [1010, undefined])
    .datagram(throughService, ends, 0, asked, [6020, 6021])
    .datagram(throughService, ends, 1, message(7, 'api.example', { answer: true }), [6023, 6022]);
  const [, one] = tracesOf(capture, NAMES);
  expect(one?.hops.filter(({ latency }) => latency > 0)).toMatchObject([
    { kind: 'network', latency: 5012e6, lost: [{ count: 1, of: 'request', after: 5010e6 }] },
    { kind: 'server', latency: 1e6 },
  ]);
});

test('of a datagram whose content came before, no time at another place is stated', () => {
  const marks = new DatagramMarks();
  marks.add(77, 1000);
  marks.add(77, 9e9);
  expect(marks.firstAt(1000)).toBe(77);
  expect(marks.firstAt(9e9)).toBeUndefined();
  marks.add(77, 60e9);
  expect(marks.firstSeen(77)).toBeUndefined();
  // Two at one time cannot be told apart.
  marks.add(1, 70e9);
  marks.add(2, 70e9);
  expect(marks.firstAt(70e9)).toBeUndefined();
});

test('only the latest datagrams are remembered', () => {
  const marks = new DatagramMarks();
  for (let index = 0; index < 200; index += 1) marks.add(index, index);
  expect(marks.size).toBe(64);
  expect(marks.firstSeen(135)).toBeUndefined();
  expect(marks.firstSeen(136)).toBe(136);
});
