import { expect, test } from 'vitest';
import { findings } from '../../../src/run/analysis/findings.ts';
import { state as stateOutput } from '../../../src/run/analysis/state.ts';
import type { NetworkState } from '../../../src/wire/network-state.ts';
import { stateBlock } from '../../../src/wire/network-state.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { BUILT_EPOCH_NS, type BuiltSegment, builtPcapng } from '../../support/built-capture.ts';

const PLACE = ['shop/web-1/any'];
const NAMES = { '10.0.0.2': 'shop/web-1' };

/** A capture in the pod web-1 with its states at the beginning and after a minute. */
function capture(segments: readonly BuiltSegment[], ...states: NetworkState[]): Buffer {
  const blocks = states.flatMap((state, index) => {
    return stateBlock({ interfaceId: 0, time: BUILT_EPOCH_NS + BigInt(index) * 60_000_000_000n, state }) ?? [];
  });
  return Buffer.concat([builtPcapng(segments, PLACE), ...blocks]);
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
