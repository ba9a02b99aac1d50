import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';

const TEXT = 'x'.repeat(900);

/**
 * The server sends three segments, and a part of the second one again 1.7 ms later; the client repeats its acknowledgment three times.
 * @param numbered the IP identification of the packet with an index
 */
function counted(numbered: (index: number) => number) {
  const segments: BuiltSegment[] = [
    ...handshake([100, 200]),
    { side: 0, sequence: 101, acknowledgment: 201, payload: 'hello', at: 10 },
    { side: 1, sequence: 201, acknowledgment: 106, payload: TEXT.slice(0, 300), at: 20 },
    { side: 1, sequence: 501, acknowledgment: 106, payload: TEXT.slice(300, 600), at: 20.1 },
    { side: 0, sequence: 106, acknowledgment: 501, at: 20.2 },
    { side: 1, sequence: 801, acknowledgment: 106, payload: TEXT.slice(600), at: 20.3 },
    { side: 0, sequence: 106, acknowledgment: 501, at: 20.4 },
    { side: 0, sequence: 106, acknowledgment: 501, at: 20.7 },
    { side: 0, sequence: 106, acknowledgment: 501, at: 21 },
    { side: 1, sequence: 501, acknowledgment: 106, payload: TEXT.slice(300, 500), at: 22 },
    { side: 0, sequence: 106, acknowledgment: 1101, at: 23 },
  ];
  const { flows, copies } = analyseBytes(
    builtPcap(segments.map((segment, index) => ({ ...segment, identification: numbered(index) }))),
  );
  const tcp = flows[0]?.tcp;
  return { copies, duplicateAcks: tcp?.client.duplicateAcks, retransmissions: tcp?.server.retransmissions };
}

const NO_COPIES = { copies: 0, duplicateAcks: 3, retransmissions: 1 };

test.each<[what: string, numbered: (index: number) => number]>([
  ['count their packets', (index) => 1_000 + index],
  ['give all packets one IP identification', () => 4_242],
  ['give none', () => 0],
])('senders that %s: what is sent again is no copy', (_what, numbered) => {
  expect(counted(numbered)).toEqual(NO_COPIES);
});

test('without an IP identification a packet with data, SYN or FIN that comes again at once is a copy', () => {
  const closing: BuiltSegment[] = [
    { side: 0, sequence: 101, acknowledgment: 201, payload: 'hello', at: 10 },
    { side: 1, sequence: 201, acknowledgment: 106, flags: 'F.', at: 20 },
    { side: 0, sequence: 106, acknowledgment: 202, flags: 'F.', at: 21 },
  ];
  const [syn, synAck] = handshake([100, 200]);
  const segments = [syn, synAck, ...closing].flatMap((segment) =>
    segment === undefined ? [] : [segment, { ...segment, at: segment.at + 0.005 }],
  );
  const { flows, copies } = analyseBytes(builtPcap(segments));
  expect(copies).toBe(5);
  expect(flows[0]?.tcp).toMatchObject({ client: { retransmissions: 0 }, server: { retransmissions: 0 } });
  const later = segments.map((segment, index) => ({ ...segment, at: segment.at + (index % 2 === 0 ? 0 : 2) }));
  expect(analyseBytes(builtPcap(later.sort((a, b) => a.at - b.at))).copies).toBe(0);
});

test('without an IP identification each duplicate ACK of a capture that has all packets twice is counted once', () => {
  const segments: BuiltSegment[] = [
    ...handshake([100, 200]),
    { side: 0, sequence: 101, acknowledgment: 201, payload: 'hello', at: 10 },
    { side: 1, sequence: 201, acknowledgment: 106, payload: TEXT, at: 20 },
    { side: 0, sequence: 106, acknowledgment: 1101, at: 20.2 },
    { side: 0, sequence: 106, acknowledgment: 1101, at: 20.25 },
    { side: 0, sequence: 106, acknowledgment: 1101, at: 20.3 },
    { side: 0, sequence: 106, acknowledgment: 1101, at: 21 },
    { side: 1, sequence: 1101, acknowledgment: 106, payload: TEXT, at: 30 },
    { side: 0, sequence: 106, acknowledgment: 2001, at: 30.2 },
  ];
  const twice = segments.flatMap((segment) => [segment, { ...segment, at: segment.at + 0.005 }]);
  const { flows, copies } = analyseBytes(builtPcap(twice));
  expect(copies).toBe(segments.length);
  expect(flows[0]?.tcp?.client.duplicateAcks).toBe(3);
});

test('without an IP identification a packet that comes again at the same time is a copy', () => {
  const segments = [
    ...handshake([100, 200]),
    { side: 0, sequence: 101, acknowledgment: 201, payload: 'hello', at: 10 } as const,
  ].flatMap((segment) => (segment.payload === undefined ? [segment] : [segment, segment]));
  const { flows, copies } = analyseBytes(builtPcap(segments));
  expect(copies).toBe(1);
  expect(flows[0]?.tcp?.client.retransmissions).toBe(0);
});

test('packets of a sender that counts them, of which several come before the copies of all of them', () => {
  for (const side of [0, 1] as const) {
    const next = side === 0 ? 101 : 201;
    const sent = [0, 1, 2, 3].map(
      (index): BuiltSegment => ({
        ...{ side, sequence: next + 10 * index, acknowledgment: side === 0 ? 201 : 101, identification: 1_000 + index },
        ...{ payload: 'x'.repeat(10), at: 10 + 0.001 * index },
      }),
    );
    const again = sent.map((segment) => ({ ...segment, at: segment.at + 0.1 }));
    const begin = handshake([100, 200]).map((segment, index) => ({ ...segment, identification: 990 + index }));
    const { flows, copies } = analyseBytes(builtPcap([...begin, ...sent, ...again]));
    expect(copies).toBe(4);
    expect(flows[0]?.tcp?.[side === 0 ? 'client' : 'server'].retransmissions).toBe(0);
  }
});
