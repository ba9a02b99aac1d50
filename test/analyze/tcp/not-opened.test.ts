import { expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../src/analyze/engine/capture-analysis.ts';
import { type BuiltSegment, builtPcapng, handshake } from '../../support/built-capture.ts';

const SYN: BuiltSegment = { side: 0, sequence: 100, flags: 'S', at: 0, direction: 'out' };
const RESET: BuiltSegment = { side: 1, sequence: 0, acknowledgment: 101, flags: 'R.', at: 1, direction: 'in' };

/** Connections that do not come up, as the sink gets them. */
function notOpened(segments: readonly BuiltSegment[]) {
  const shown: (readonly [flow: number, initial: number, leaves: boolean, hasLeg: boolean])[] = [];
  const capture = new CaptureAnalysis(
    {
      event: () => {},
      flowEnded: () => {},
      notOpened: ({ id, sameAs }, initial, leaves) => void shown.push([id, initial, leaves, sameAs !== undefined]),
    },
    { detail: false, showSecrets: false },
    { interface: () => {}, packet: () => {} },
  );
  capture.framer.push(builtPcapng(segments, ['shop/client/any', 'shop/web/any']));
  capture.end();
  return shown;
}

test('a connection that is refused is handed on with the number of its SYN, and whether that leaves', () => {
  expect(notOpened([SYN, RESET])).toEqual([[0, 100, true, false]]);
  const atServer = [{ ...SYN, direction: 'in' } as const, { ...RESET, direction: 'out' } as const];
  expect(notOpened(atServer)).toEqual([[0, 100, false, false]]);
});

test('a SYN that nothing answers is handed on each time that it is sent again', () => {
  const again = [0, 1_000, 3_000].map((at) => ({ ...SYN, at }));
  expect(notOpened(again)).toEqual([
    [0, 100, true, false],
    [0, 100, true, false],
  ]);
});

test('where it passes both places, the one where it came later is a leg of the first', () => {
  const pod = { ports: [40_000, 8080], interfaceId: 1 } as const;
  const segments: BuiltSegment[] = [
    SYN,
    { ...SYN, ...pod, at: 0.1, direction: 'in' },
    { ...RESET, ...pod, direction: 'out' },
    { ...RESET, at: 1.1 },
  ];
  // The reset leaves the server first, when nothing is known of the client's.
  expect(notOpened(segments)).toEqual([
    [1, 100, false, false],
    [0, 100, true, false],
  ]);
  const syns = [0, 1_000].flatMap((at): BuiltSegment[] => [
    { ...SYN, at },
    { ...SYN, ...pod, at: at + 0.1, direction: 'in' },
  ]);
  expect(notOpened(syns)).toEqual([
    [0, 100, true, false],
    [1, 100, false, true],
  ]);
});

test('a connection that came up is not handed on, nor one of which it is not known where its SYN goes', () => {
  const opened = handshake([100, 200]).map((segment) => ({
    ...segment,
    direction: segment.side === 0 ? ('out' as const) : ('in' as const),
  }));
  expect(notOpened([...opened, { ...RESET, sequence: 201, at: 5 }])).toEqual([]);
  // The server answered, and its SYN-ACK was lost on the way.
  expect(notOpened([...opened.slice(0, 2), { ...SYN, at: 1_000 }])).toEqual([]);
  const { direction: _syn, ...syn } = SYN;
  const { direction: _reset, ...reset } = RESET;
  expect(notOpened([syn, reset])).toEqual([]);
});
