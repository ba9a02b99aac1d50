import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, builtPcapng, handshake } from '../../support/built-capture.ts';
import { Random } from '../../support/random.ts';

const REQUEST = `GET /cart HTTP/1.1\r\nHost: shop\r\nX-Long: ${'x'.repeat(300)}\r\n\r\n`;
const RESPONSE = `HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n${'y'.repeat(900)}`;

/** Cut a text into segments of random lengths. */
function segmentsOf(side: 0 | 1, first: number, acknowledgment: number, text: string, at: number, random: Random) {
  const segments: BuiltSegment[] = [];
  for (let offset = 0; offset < text.length; ) {
    const length = 1 + random.below(200);
    const payload = text.slice(offset, offset + length);
    segments.push({
      side,
      sequence: first + offset,
      acknowledgment,
      payload,
      at: at + segments.length * 0.1,
      flags: 'P.',
    });
    offset += length;
  }
  return segments;
}

/** One exchange; both sides' numbers begin where `initial` says, across the wrap if it is near 2^32. */
function conversation(initial: readonly [number, number], random: Random): BuiltSegment[][] {
  const [client, server] = [initial[0] + 1, initial[1] + 1];
  return [
    handshake(initial),
    segmentsOf(0, client, server, REQUEST, 10, random),
    segmentsOf(1, server, client + REQUEST.length, RESPONSE, 20, random),
    [
      { side: 0, sequence: client + REQUEST.length, acknowledgment: server + RESPONSE.length, flags: 'F.', at: 40 },
      { side: 1, sequence: server + RESPONSE.length, acknowledgment: client + REQUEST.length + 1, flags: 'F.', at: 41 },
    ],
  ];
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const copy = [...items];
  for (let index = copy.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1);
    [copy[index], copy[other]] = [copy[other] as T, copy[index] as T];
  }
  return copy;
}

const brief = (capture: Buffer) =>
  analyseBytes(capture).events.map(({ event }) =>
    event.kind === 'exchange'
      ? `${event.label} ${event.status} ${event.requestBytes} ${event.responseBytes} ${event.incomplete ?? 'whole'}`
      : event.label,
  );

const WHOLE = [`GET /cart 200 ${REQUEST.length} ${RESPONSE.length} whole`];
const NEAR_WRAP = [0, 1000, 2 ** 31 - 100, 2 ** 32 - 1, 2 ** 32 - 50, 2 ** 32 - 700];

test('segments in any order, overlapping and repeated, across the wrap: the same exchange', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = new Random(seed);
    const initial = [NEAR_WRAP[seed % 6] ?? 0, NEAR_WRAP[(seed >> 2) % 6] ?? 0] as const;
    const [opening = [], request = [], response = [], closing = []] = conversation(initial, random);
    const mixed = [request, response].map((segments) => {
      const again = segments.filter(() => random.below(4) === 0);
      // Two neighbours sent again as one: it overlaps both.
      const joined = segments.flatMap((segment, index) => {
        const next = segments[index + 1];
        if (next === undefined || random.below(4) > 0) return [];
        return [{ ...segment, payload: `${segment.payload}${next.payload}` }];
      });
      return shuffled([...segments, ...again, ...joined], random).map((segment, index) => ({
        ...segment,
        at: (segments[0]?.at ?? 0) + index * 0.05,
      }));
    });
    expect(brief(builtPcap([...opening, ...mixed.flat(), ...closing])), `seed ${seed}`).toEqual(WHOLE);
  }
});

test('whole directions in each other’s way: the response captured before the request', () => {
  const [opening = [], request = [], response = [], closing = []] = conversation([5, 9], new Random(1));
  const swapped = [...response.map((segment) => ({ ...segment, at: 5 })), ...request];
  const [event] = brief(builtPcap([...opening, ...swapped, ...closing]));
  // Nothing is invented, and nothing is lost: both are told, apart.
  expect(event).toContain('(request not seen) 200');
});

test('a hole that the other side acknowledged is given up, and what follows is read', () => {
  const [opening = [], request = [], response = [], closing = []] = conversation([5, 9], new Random(2));
  const lost = response.filter((_, index) => index !== 3);
  const acknowledged: BuiltSegment = {
    side: 0,
    sequence: 6 + REQUEST.length,
    acknowledgment: 10 + RESPONSE.length,
    at: 30,
  };
  const second = [
    {
      side: 0,
      sequence: 6 + REQUEST.length,
      acknowledgment: 10 + RESPONSE.length,
      payload: 'GET /b HTTP/1.1\r\n\r\n',
      at: 200,
    },
    {
      side: 1,
      sequence: 10 + RESPONSE.length,
      acknowledgment: 6 + REQUEST.length + 'GET /b HTTP/1.1\r\n\r\n'.length,
      payload: 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
      at: 210,
    },
  ] as const;
  const { events, flows } = analyseBytes(builtPcap([...opening, ...request, ...lost, acknowledged, ...second]));
  expect(events.map(({ event }) => [event.label, event.kind === 'exchange' ? event.incomplete : ''])).toEqual([
    ['GET /cart', 'response not captured'],
    ['GET /b', undefined],
  ]);
  expect(flows[0]?.tcp?.server.lost).toBe(String(response[3]?.payload).length);
  // What came behind the hole came when it was captured, not when the hole was given up: the client did not wait.
  const [cart] = events.map(({ event }) => event);
  expect(cart?.kind === 'exchange' && cart.responseEnd).toBeLessThan(30e6);
  expect(closing).toHaveLength(2);
});

test('the same packets seen at two interfaces are one conversation, not retransmissions', () => {
  const plain = conversation([5, 9], new Random(3)).flat();
  const both = plain.flatMap((segment) => [segment, { ...segment, interfaceId: 1, at: segment.at + 0.01 }]);
  const { events, flows, copies } = analyseBytes(builtPcapng(both, ['shop/client/any', 'shop/web/any']));
  expect(events.map(({ event }) => event.label)).toEqual(['GET /cart']);
  expect(copies).toBe(plain.length);
  expect(flows).toHaveLength(1);
  const [flow] = flows;
  expect([flow?.tcp?.client.retransmissions, flow?.tcp?.server.retransmissions, flow?.tcp?.server.outOfOrder]).toEqual([
    0, 0, 0,
  ]);
  expect((flow?.client.packets ?? 0) + (flow?.server.packets ?? 0)).toBe(plain.length);
});

test('what one interface lost is taken from the other', () => {
  const plain = conversation([5, 9], new Random(4)).flat();
  const both = plain.flatMap((segment, index) => {
    const other = { ...segment, interfaceId: 1, at: segment.at + 0.01 };
    return index > 3 && index % 3 === 0 ? [other] : [segment, other];
  });
  const { events } = analyseBytes(builtPcapng(both, ['shop/client/any', 'shop/web/any']));
  expect(events.map(({ event }) => [event.label, event.kind === 'exchange' ? event.incomplete : ''])).toEqual([
    ['GET /cart', undefined],
  ]);
});

test('packets cut by a snaplen: what was captured is read, the rest is a gap', () => {
  const [opening = [], , , closing = []] = conversation([5, 9], new Random(5));
  const request: BuiltSegment = { side: 0, sequence: 6, payload: REQUEST, at: 10, caplen: 96 };
  const response: BuiltSegment = {
    side: 1,
    sequence: 10,
    acknowledgment: 6 + REQUEST.length,
    payload: RESPONSE,
    at: 20,
    caplen: 96,
  };
  const [event] = analyseBytes(builtPcap([...opening, request, response, ...closing])).events;
  expect(event?.event).toMatchObject({ label: 'GET /cart', status: '200', incomplete: 'response not captured' });
});

test('a connection under way: who is who is told by what is said', () => {
  // The server has the higher port here.
  const ports = [80, 40_000] as const;
  const segments: BuiltSegment[] = [
    { side: 1, sequence: 1, payload: 'rest of something', at: 0, ports },
    { side: 0, sequence: 1, acknowledgment: 18, payload: 'GET /late HTTP/1.1\r\n\r\n', at: 1, ports },
    {
      side: 1,
      sequence: 18,
      acknowledgment: 23,
      payload: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      at: 2,
      ports,
    },
  ];
  const { events, flows } = analyseBytes(builtPcap(segments));
  expect(events.map(({ event, client }) => [event.label, client])).toEqual([['GET /late', '10.0.0.1:80']]);
  expect(flows[0]?.tcp?.midstream).toBe(true);
});

test('memory is bounded while holes stay open', () => {
  const segments: BuiltSegment[] = [...handshake([5, 9])];
  const payload = 'z'.repeat(1400);
  for (let index = 0; index < 5000; index += 1) {
    segments.push({ side: 1, sequence: 10 + 5000 + index * 1400, payload, at: 3 + index * 0.001 });
  }
  const { flows } = analyseBytes(builtPcap(segments));
  expect(flows[0]?.tcp?.server.lost).toBe(5000);
});

test('bytes behind a hole of more than 256 MiB are handed on, and the hole is a gap', () => {
  const far = 1 + REQUEST.length + 300_000_000;
  const segments: BuiltSegment[] = [
    ...handshake([0, 0]),
    { side: 0, sequence: 1, acknowledgment: 1, payload: REQUEST, flags: 'P.', at: 10 },
    { side: 1, sequence: 1, acknowledgment: 1 + REQUEST.length, payload: RESPONSE, flags: 'P.', at: 11 },
    { side: 0, sequence: far, acknowledgment: 1 + RESPONSE.length, payload: REQUEST, flags: 'P.', at: 20 },
    {
      side: 1,
      sequence: 1 + RESPONSE.length,
      acknowledgment: far + REQUEST.length,
      payload: RESPONSE,
      flags: 'P.',
      at: 21,
    },
  ];
  const { flows } = analyseBytes(builtPcap(segments));
  // Which request the hole's other side answers is not known.
  expect(brief(builtPcap(segments))).toEqual([
    ...WHOLE,
    `(request not seen) 200 0 ${RESPONSE.length} request not seen`,
    `GET /cart  ${REQUEST.length} 0 unknown`,
  ]);
  expect(flows[0]?.tcp?.client.lost).toBe(300_000_000);
});

test.each([
  ['sent again after 12 s, and the receiver shows to miss them', 12_000, true, true],
  ['sent again after 12 s, and the receiver was not heard', 12_000, false, false],
  ['sent again after 119 s, and the receiver shows to miss them', 119_000, true, true],
  ['sent again after 125 s, and the receiver shows to miss them', 125_000, true, false],
])('missing bytes: %s', (_what, at, isAcknowledged, isWhole) => {
  const half = REQUEST.length >> 1;
  const missing: BuiltSegment = { side: 1, sequence: 201, acknowledgment: 121, at: 12, flags: '.' };
  const segments: BuiltSegment[] = [
    ...handshake([100, 200]),
    { side: 0, sequence: 101, acknowledgment: 201, payload: REQUEST.slice(0, 20), at: 10, flags: 'P.' },
    { side: 0, sequence: 101 + half, acknowledgment: 201, payload: REQUEST.slice(half), at: 11, flags: 'P.' },
    ...(isAcknowledged ? [missing] : []),
    { side: 0, sequence: 121, acknowledgment: 201, payload: REQUEST.slice(20, half), at, flags: 'P.' },
    { side: 1, sequence: 201, acknowledgment: 101 + REQUEST.length, payload: RESPONSE, at: at + 10, flags: 'P.' },
  ];
  const said = brief(builtPcap(segments));
  if (isWhole) expect(said).toEqual(WHOLE);
  else expect(said).not.toEqual(WHOLE);
});

test('of a hole only what the receiver has acknowledged is given up: the rest is sent again', () => {
  const asked = 101 + REQUEST.length;
  const piece = (from: number, to: number | undefined, at: number): BuiltSegment => ({
    side: 1,
    sequence: 201 + from,
    acknowledgment: asked,
    payload: RESPONSE.slice(from, to),
    at,
    flags: 'P.',
  });
  const gaps: number[] = [];
  const { events } = analyseBytes(
    builtPcap([
      ...handshake([100, 200]),
      { side: 0, sequence: 101, acknowledgment: 201, payload: REQUEST, at: 10, flags: 'P.' },
      piece(0, 300, 20),
      piece(800, undefined, 21),
      { side: 0, sequence: asked, acknowledgment: 201 + 332, at: 22, flags: '.' },
      piece(332, 800, 40),
      { side: 0, sequence: asked, acknowledgment: 201 + RESPONSE.length, at: 41, flags: '.' },
    ]),
  );
  for (const { event } of events) if (event.kind === 'exchange') gaps.push(RESPONSE.length - event.responseBytes);
  expect(gaps).toEqual([32]);
});
