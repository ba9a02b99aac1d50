import { expect, test } from 'vitest';
import { type BuiltSegment, handshake } from '../../support/built-capture.ts';
import { codesOf, foundIn } from '../../support/found-in.ts';

/** The client's ACK of everything. @param at ms @param window bytes */
function ack(at: number, window: number): BuiltSegment {
  return { side: 0, sequence: 101, acknowledgment: 209, window, at };
}

/** A download to a client that announces these windows. */
function download(...windows: readonly (readonly [at: number, window: number])[]): BuiltSegment[] {
  const data: BuiltSegment = { side: 1, sequence: 201, acknowledgment: 101, flags: 'P.', payload: 'abcdefgh', at: 5 };
  const end: BuiltSegment = { side: 1, sequence: 209, acknowledgment: 101, at: 3000 };
  return [...handshake([100, 200]), data, ...windows.map(([at, window]) => ack(at, window)), end];
}

test('a receiver that keeps its window closed for 100 ms reads too slowly', () => {
  const [found] = foundIn(download([10, 0], [110, 500]));
  expect(found).toMatchObject({
    code: 'RECEIVER_SLOW',
    severity: 'warning',
    confidence: 'proven',
    subject: '10.0.0.1',
  });
  expect(found?.message).toContain('in the only connection it kept its TCP receive window closed, for up to 100 ms');
  // Said again: by probes of the sender.
  expect(codesOf(foundIn(download([10, 0], [60, 0], [115, 0])))).toContain('RECEIVER_SLOW');
  // Until the connection is reset.
  const reset: BuiltSegment = { side: 0, sequence: 101, flags: 'R', window: 0, at: 400 };
  expect(codesOf(foundIn([...download([10, 0]).slice(0, -1), reset]))).toContain('RECEIVER_SLOW');
});

test('windows that are closed for a moment, however often, are not slow reading', () => {
  const often = Array.from({ length: 40 }, (_, index) => [10 + index * 50, index % 2 === 0 ? 0 : 500] as const);
  // 20 times 50 ms: a third of the connection.
  expect(codesOf(foundIn(download(...often)))).toContain('RECEIVER_SLOW');
  const short = Array.from({ length: 40 }, (_, index) => [10 + index * 50 + (index % 2), index % 2 === 0 ? 500 : 0]);
  const moments = short.flatMap(([at = 0, window = 0]) =>
    window === 0 ? [[at, 0] as const, [at + 4, 500] as const] : [],
  );
  expect(codesOf(foundIn(download(...moments)))).not.toContain('RECEIVER_SLOW');
  expect(codesOf(foundIn(download([10, 0], [109, 500])))).not.toContain('RECEIVER_SLOW');
  // What the last packet says of the window holds for no known time.
  expect(codesOf(foundIn(download([10, 0])))).not.toContain('RECEIVER_SLOW');
});

/** Connections of five packets, one each 10 s. @param more further segments of each */
function connections(count: number, more: readonly BuiltSegment[] = []): BuiltSegment[] {
  const syn: BuiltSegment = { side: 0, sequence: 100, flags: 'S', at: 0 };
  const fin: BuiltSegment = { side: 0, sequence: 101, acknowledgment: 209, flags: 'F.', at: 2000 };
  const data: BuiltSegment = {
    side: 1,
    sequence: 201,
    acknowledgment: 101,
    flags: 'P.',
    payload: 'abcdefgh',
    at: 1500,
  };
  const one = [...more, ...handshake([100, 200], 1000), data, fin].sort((a, b) => a.at - b.at);
  return Array.from({ length: count }, (_, index) =>
    [syn, ...one].map(
      (segment): BuiltSegment => ({
        ...segment,
        ports: [20_000 + index, 80],
        at: segment.at + index * 10_000,
      }),
    ),
  ).flat();
}

test('data that is sent again is lost, a SYN that is repeated need not be', () => {
  const again: BuiltSegment = {
    side: 1,
    sequence: 201,
    acknowledgment: 101,
    flags: 'P.',
    payload: 'abcdefgh',
    at: 1900,
  };
  expect(codesOf(foundIn(connections(250)))).not.toContain('PACKET_LOSS');
  const [found] = foundIn(connections(250, [again])).filter(({ code }) => code === 'PACKET_LOSS');
  expect(found).toMatchObject({ severity: 'error', cases: 250 });
});
