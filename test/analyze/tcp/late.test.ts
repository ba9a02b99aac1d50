import { describe, expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, builtPcapng } from '../../support/built-capture.ts';

const get = (name: string) => `GET /${name} HTTP/1.1\r\nHost: shop\r\n\r\n`;
const answer = (code: number) => `HTTP/1.1 ${code} Made\r\nContent-Length: 2\r\n\r\nok`;
const REQUEST = get('a').length;
const ANSWER = answer(200).length;

type Packet = readonly [side: 0 | 1, sequence: number, acknowledgment: number, payload?: string, flags?: string];

const HANDSHAKE: readonly Packet[] = [
  [0, 0, 0, '', 'S'],
  [1, 0, 1, '', 'S.'],
  [0, 1, 1],
];

/** `GET /b 201 unknown` for each exchange of the packets, one every µs. */
function stated(...packets: readonly Packet[]): string[] {
  const segments = packets.map(
    ([side, sequence, acknowledgment, payload = '', flags = '.'], index): BuiltSegment => ({
      side,
      sequence,
      acknowledgment,
      payload,
      flags,
      ports: [40_000, 80],
      at: index / 1_000,
    }),
  );
  return analyseBytes(builtPcap(segments)).events.flatMap(({ event }) =>
    event.kind === 'exchange' ? [`${event.label} ${event.status} ${event.incomplete ?? ''}`.trim()] : [],
  );
}

const q = (count: number) => 1 + count * REQUEST;
const a = (count: number) => 1 + count * ANSWER;

test('a request that is sent again after its answer, and both were not captured, does not get the answer to the next one', () => {
  const seen = stated(
    ...HANDSHAKE,
    [0, q(0), a(0), get('a')],
    [1, a(0), q(1), answer(200)],
    // GET /b and its answer 201 were not captured.
    [0, q(2), a(2), get('c')],
    [0, q(1), a(2), get('b')],
    [1, a(2), q(3), answer(202)],
  );
  expect(seen).toContain('GET /a 200');
  expect(seen.filter((line) => line.includes('/b')).join()).not.toContain('202');
  expect(seen.filter((line) => line.includes('202')).join()).toMatch(/^GET \/c 202$|unknown/);
});

test('a request that is sent again comes before its answer, although it acknowledges that', () => {
  const seen = stated(
    ...HANDSHAKE,
    [0, q(0), a(0), get('a')],
    [1, a(0), q(1), answer(200)],
    [1, a(1), q(2), answer(201)],
    [0, q(2), a(2)],
    [0, q(1), a(2), get('b')],
    [0, q(2), a(2), get('c')],
    [1, a(2), q(3), answer(202)],
  );
  expect(seen).not.toContain('GET /b 202');
  expect(seen).not.toContain('GET /c 201');
});

test('the same where a second place of capture has both requests, in the order in which they were sent', () => {
  const at = (place: number, packets: readonly Packet[]): BuiltSegment[] =>
    packets.map(([side, sequence, acknowledgment, payload = '', flags = '.'], index) => {
      return { side, sequence, acknowledgment, payload, flags, at: place + index, interfaceId: place };
    });
  const begin: Packet[] = [...HANDSHAKE, [0, q(0), a(0), get('a')], [1, a(0), q(1), answer(200)]];
  // GET /b and its answer 201 were not captured; what the client sent since only at the server.
  const server: Packet[] = [
    [0, q(2), a(2), get('c')],
    [0, q(1), a(2), get('b')],
    [1, a(2), q(3), answer(202)],
  ];
  const client: Packet[] = [
    [1, a(2), q(3), answer(202)],
    [0, q(3), a(3), get('d')],
  ];
  const segments = [
    ...at(0, begin),
    ...at(1, [...begin, ...server]),
    ...at(0, client).map((one) => ({ ...one, at: 9 })),
  ];
  const { events } = analyseBytes(
    builtPcapng(
      segments.toSorted((one, other) => one.at - other.at),
      ['shop/client/any', 'shop/web/any'],
    ),
  );
  const seen = events.flatMap(({ event }) => (event.kind === 'exchange' ? [`${event.label} ${event.status}`] : []));
  expect(seen).toContain('GET /a 200');
  expect(seen).not.toContain('GET /b 202');
});

describe('packets of which the sender has counted on', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n';
  const third = 'x'.repeat(100);
  const END = 1 + head.length + 300;

  /** A response in four segments, numbered from 100 on, in an order; each named by its place, a repeated one twice. */
  function response(order: readonly number[]): BuiltSegment[] {
    const parts = [head, third, third, third];
    const starts = [1, 1 + head.length, 101 + head.length, 201 + head.length];
    return order.map((part, index) => ({
      side: 1,
      sequence: starts[part] as number,
      acknowledgment: q(1),
      payload: parts[part] as string,
      identification: 100 + part,
      at: 0.01 + index / 1_000,
    }));
  }

  const before: BuiltSegment[] = [
    { side: 0, sequence: 0, flags: 'S', at: 0, identification: 1 },
    { side: 1, sequence: 0, acknowledgment: 1, flags: 'S.', at: 0.001, identification: 99 },
    { side: 0, sequence: 1, acknowledgment: 1, at: 0.002, identification: 2 },
    { side: 0, sequence: 1, acknowledgment: 1, payload: get('a'), at: 0.003, identification: 3 },
  ];

  test.each([
    ['in order', [0, 1, 2, 3], 0],
    ['one overtaken: it is not a copy of another', [0, 2, 1, 3], 0],
    ['one overtaken by all others', [0, 2, 3, 1], 0],
    ['one twice', [0, 1, 1, 2, 3], 1],
    ['one twice, and overtaken', [0, 2, 2, 1, 1, 3], 2],
    ['all twice', [0, 0, 1, 1, 2, 2, 3, 3], 4],
  ] as const)('%s', (_, order, copies) => {
    const { events, copies: counted } = analyseBytes(builtPcap([...before, ...response(order)]));
    const exchange = events.map(({ event }) => event).find((event) => event.kind === 'exchange');
    expect(exchange).toMatchObject({ status: '200', incomplete: undefined });
    expect(counted).toBe(copies);
  });

  test('a FIN that was overtaken by a pure acknowledgment behind it counts', () => {
    const end: BuiltSegment[] = [
      { side: 0, sequence: q(1), acknowledgment: END, flags: 'F.', at: 0.03, identification: 4 },
      { side: 1, sequence: END + 1, acknowledgment: q(1) + 1, at: 0.031, identification: 106 },
      { side: 1, sequence: END, acknowledgment: q(1) + 1, flags: 'F.', at: 0.032, identification: 105 },
      { side: 0, sequence: q(1) + 1, acknowledgment: END + 1, at: 0.033, identification: 5 },
    ];
    const { flows } = analyseBytes(builtPcap([...before, ...response([0, 1, 2, 3]), ...end]));
    expect(flows.map(({ tcp }) => tcp?.state)).toEqual(['closed']);
  });
});

test('a capture that begins with a request, and then an answer that the request acknowledges, does not pair them', () => {
  const seen = stated(
    [0, q(2), a(2), get('c')],
    [1, q(3), a(2)],
    // Sent again, behind the request.
    [1, a(1), q(3), answer(201)],
    [1, a(2), q(3), answer(202)],
    [0, q(3), a(3), get('d')],
    [1, a(3), q(4), answer(203)],
  );
  expect(seen.join()).not.toContain('201');
});
