import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';

const facts = (segments: readonly BuiltSegment[]) => {
  const [flow] = analyseBytes(builtPcap(segments)).flows;
  if (flow?.tcp === undefined) throw new Error('no connection');
  return { ...flow.tcp, flow };
};

const data = (sequence: number, at: number, payload = 'abcdefgh'): BuiltSegment => ({
  side: 1,
  sequence,
  acknowledgment: 101,
  payload,
  at,
});
const ack = (acknowledgment: number, at: number, window = 500): BuiltSegment => ({
  side: 0,
  sequence: 101,
  acknowledgment,
  at,
  window,
});

test('a handshake, data and its acknowledgements: round trips', () => {
  const tcp = facts([...handshake([100, 200]), data(201, 10), ack(209, 14), data(209, 20), ack(217, 26)]);
  expect(tcp).toMatchObject({ state: 'open', midstream: false, handshakeRtt: 2e6, closedBy: undefined });
  expect(tcp.rtt).toEqual({ client: { minimum: 4e6, maximum: 6e6, mean: 5e6, samples: 2 }, server: undefined });
});

test('after a time-out, after duplicate acknowledgements, and for nothing', () => {
  const start = [...handshake([100, 200]), data(201, 10), ack(209, 11)];
  expect(facts([...start, data(209, 20), data(209, 300)]).server).toMatchObject({
    retransmissions: 1,
    timeoutRetransmissions: 1,
  });
  const fast = [data(209, 20), data(217, 20.1), ack(209, 21), ack(209, 21.1), ack(209, 21.2), data(209, 22)];
  expect(facts([...start, ...fast])).toMatchObject({
    server: { fastRetransmissions: 1 },
    client: { duplicateAcks: 3 },
  });
  expect(facts([...start, data(201, 300)]).server).toMatchObject({ spuriousRetransmissions: 1, retransmissions: 1 });
});

test('fast is what follows two duplicate acknowledgements of it, soon', () => {
  const start = [...handshake([100, 200]), data(201, 10), ack(209, 11), data(209, 20), data(217, 20.1)];
  const kinds = (...segments: readonly BuiltSegment[]) => {
    const { retransmissions, fastRetransmissions, timeoutRetransmissions, outOfOrder } = facts([
      ...start,
      ...segments,
    ]).server;
    return { retransmissions, fastRetransmissions, timeoutRetransmissions, outOfOrder };
  };
  const again = data(209, 23.1);
  const none = { retransmissions: 1, fastRetransmissions: 0, timeoutRetransmissions: 0, outOfOrder: 0 };
  expect(kinds(ack(209, 21), ack(209, 21.1), again)).toEqual({ ...none, fastRetransmissions: 1 });
  expect(kinds(ack(209, 21), again)).toEqual({ ...none, timeoutRetransmissions: 1 });
  expect(kinds(ack(209, 21), ack(209, 21.1), data(209, 90))).toEqual({ ...none, timeoutRetransmissions: 1 });
  // The last segment, as a probe of the tail.
  expect(kinds(data(217, 21))).toEqual({ ...none, timeoutRetransmissions: 1 });
});

test("a SYN-ACK whose SYN was not captured shows where the client's bytes begin", () => {
  const synAck: BuiltSegment = { side: 1, sequence: 200, acknowledgment: 101, flags: 'S.', at: 0 };
  const first = { side: 0, acknowledgment: 201, flags: 'P.', payload: 'abcdefgh' } as const;
  const lost = (sequence: number) =>
    facts([synAck, { ...first, sequence, at: 1 }, data(201, 2), ack(209, 3)]).client.lost;
  expect(lost(101)).toBe(0);
  expect(lost(111)).toBe(10);
});

test('overtaken is not sent again', () => {
  const tcp = facts([...handshake([100, 200]), data(209, 10), data(201, 10.5), ack(217, 11)]);
  expect(tcp.server).toMatchObject({ outOfOrder: 1, retransmissions: 0, lost: 0 });
});

test('keep-alives, closed windows, and a window filled', () => {
  const start = [...handshake([100, 200]), data(201, 10), ack(209, 11)];
  expect(facts([...start, { ...data(208, 5000), payload: '' }]).server.keepAlives).toBe(1);
  expect(facts([...start, ack(209, 12, 0)]).client.zeroWindows).toBe(1);
  const scale = Buffer.from([3, 3, 2, 0]);
  const scaled: BuiltSegment[] = [
    { side: 0, sequence: 100, flags: 'S', at: 0, options: scale },
    { side: 1, sequence: 200, acknowledgment: 101, flags: 'S.', at: 1, options: scale },
    ack(201, 2, 2),
    data(201, 3),
  ];
  const tcp = facts(scaled);
  expect(tcp.server.windowFull).toBe(1);
  expect(tcp.windowScale).toEqual([2, 2]);
});

test.each<[string, BuiltSegment[], object]>([
  [
    'closed by who said FIN first',
    [
      { side: 1, sequence: 201, acknowledgment: 101, flags: 'F.', at: 10 },
      { side: 0, sequence: 101, acknowledgment: 202, flags: 'F.', at: 11 },
    ],
    { state: 'closed', closedBy: 'server', resetBy: undefined },
  ],
  [
    'half closed',
    [{ side: 0, sequence: 101, acknowledgment: 201, flags: 'F.', at: 10 }],
    { state: 'half-closed', closedBy: 'client' },
  ],
  [
    'reset',
    [{ side: 0, sequence: 101, acknowledgment: 201, flags: 'R.', at: 10 }],
    { state: 'reset', resetBy: 'client' },
  ],
])('%s', (_, ending, expected) => {
  expect(facts([...handshake([100, 200]), ...ending])).toMatchObject(expected);
});

test('refused, and not answered', () => {
  const syn: BuiltSegment = { side: 0, sequence: 100, flags: 'S', at: 0 };
  const capture = builtPcap([syn, { side: 1, sequence: 0, acknowledgment: 101, flags: 'R.', at: 1 }]);
  const { events, flows } = analyseBytes(capture);
  expect(flows[0]?.tcp).toMatchObject({ state: 'refused', resetBy: 'server' });
  expect(events.map(({ event }) => event.kind === 'event' && event.code)).toEqual(['TCP_REFUSED']);
  expect(facts([syn, { ...syn, at: 1000 }, { ...syn, at: 3000 }])).toMatchObject({
    state: 'unanswered',
    client: { retransmissions: 2 },
  });
});

test('a new SYN on the same ports is a new connection', () => {
  const first = [
    ...handshake([100, 200]),
    { side: 0, sequence: 101, acknowledgment: 201, flags: 'R.', at: 10 } as const,
  ];
  const { flows } = analyseBytes(builtPcap([...first, ...handshake([7000, 9000], 20)]));
  expect(flows.map(({ tcp }) => tcp?.state)).toEqual(['reset', 'open']);
});

test('a handshake whose SYN was sent again: set up from the first one, its round trip from the last', () => {
  const [syn, ...rest] = handshake([100, 200], 1000);
  const tcp = facts([{ ...(syn as BuiltSegment), at: 0 }, syn as BuiltSegment, ...rest]);
  expect(tcp).toMatchObject({ handshakeRtt: 2e6, setup: 1002e6, syns: 2, synSpan: 1000e6 });
});

test('SYNs that nobody answers are one event, when the client has tried again', () => {
  const syn: BuiltSegment = { side: 0, sequence: 100, flags: 'S', at: 0 };
  const told = (ats: readonly number[]) =>
    analyseBytes(builtPcap(ats.map((at) => ({ ...syn, at })))).events.map(({ event }) => event);
  expect(told([0, 1000, 3000, 7000, 15_000, 31_000])).toMatchObject([
    { code: 'TCP_NO_ANSWER', label: 'no answer, SYN sent 6 times in 31 s', time: 31e9, failed: true },
  ]);
  // The capture's end may have cut the answer off.
  expect(told([0])).toEqual([]);
});

test('a simultaneous open is one connection (RFC 9293, section 3.5)', () => {
  const { flows } = analyseBytes(
    builtPcap([
      { side: 0, sequence: 100, flags: 'S', at: 0 },
      { side: 1, sequence: 200, flags: 'S', at: 1 },
      { side: 0, sequence: 100, acknowledgment: 201, flags: 'S.', at: 2 },
      { side: 1, sequence: 200, acknowledgment: 101, flags: 'S.', at: 3 },
      { side: 0, sequence: 101, acknowledgment: 201, at: 4 },
    ]),
  );
  expect(flows.map(({ tcp }) => [tcp?.state, tcp?.client.retransmissions, tcp?.server.retransmissions])).toEqual([
    ['open', 0, 0],
  ]);
});

test('an acknowledgement after a jump of the clock is no round trip', () => {
  const tcp = facts([...handshake([100, 200]), data(201, 10), ack(209, 14), data(209, 20), ack(217, 700_000)]);
  expect(tcp.rtt.client).toEqual({ minimum: 4e6, maximum: 4e6, mean: 4e6, samples: 1 });
});
