import { expect, test } from 'vitest';
import { ClockHistory } from '../../../src/analyze/tcp/clock-history.ts';
import type { MadeExchange } from '../../oracle/loss/conversation.ts';
import { mongodbConversation } from '../../oracle/loss/mongodb.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, builtPcapng } from '../../support/built-capture.ts';
import { Random } from '../../support/random.ts';
import { request, response } from '../protocols/http2/made-frames.ts';

const brief = (capture: Buffer) =>
  analyseBytes(capture).events.map(({ event }) =>
    event.kind === 'exchange'
      ? `${event.label} | ${event.status} | ${event.incomplete ?? ''}${event.failed ? ' | failed' : ''}`
      : event.label,
  );

/** Segments in the order in which they were captured, one every 0.1 ms. */
function capture(
  port: number,
  ...segments: readonly [
    side: 0 | 1,
    sequence: number,
    acknowledgment: number,
    payload?: string | Buffer,
    flags?: string,
  ][]
): Buffer {
  return builtPcap(
    segments.map(([side, sequence, acknowledgment, payload = '', flags = '.'], index): BuiltSegment => {
      return { side, sequence, acknowledgment, payload, flags, ports: [40_000, port], at: index / 10 };
    }),
  );
}

/** A MongoDB command and its answer, which names the command by number. */
const [{ request: FIND, response: FOUND }, { request: NEXT, response: LAST }] = mongodbConversation(2, new Random(1))
  .exchanges as [MadeExchange, MadeExchange];

test('an answer that was captured before its request in the middle of a connection: the request may have been answered', () => {
  const seen = brief(
    capture(
      27017,
      [1, 5000, 1000 + FIND.length, FOUND],
      [0, 1000, 5000, FIND],
      [0, 1000 + FIND.length, 5000 + FOUND.length, '', 'F.'],
      [1, 5000 + FOUND.length, 1001 + FIND.length, '', 'F.'],
    ),
  );
  expect(seen).toContain('find shop.c0 |  | unknown');
});

test('a request behind an answer that does not acknowledge it has no response', () => {
  const seen = brief(
    capture(
      27017,
      [1, 5000, 1000, FOUND],
      [0, 1000, 5000 + FOUND.length, FIND],
      [1, 5000 + FOUND.length, 1000 + FIND.length, '', 'F.'],
      [0, 1000 + FIND.length, 5001 + FOUND.length, '', 'F.'],
    ),
  );
  expect(seen).toContain('find shop.c0 |  | no response | failed');
});

test("an answer that is missing behind server's bytes from before the protocol was recognised", () => {
  const command = '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n';
  const reply = 'x'.repeat(143);
  const seen = brief(
    capture(
      6379,
      [1, 5000, 1000, reply],
      [0, 1000, 5143, command],
      [1, 5143, 1000 + command.length],
      [0, 1000 + command.length, 5192, '', 'F.'],
      [1, 5192, 1000 + command.length, '', 'F.'],
    ),
  );
  expect(seen).toEqual(['GET k |  | response not captured']);
});

test("the end of a DATA frame that a capture begins with is no frame's head", () => {
  const asked = request(13, '/a');
  const answer = response(13, 200);
  const seen = brief(
    capture(
      8080,
      [1, 5000, 1000, 'yyy'],
      [0, 1000, 5003, asked],
      [1, 5003, 1000 + asked.length, answer],
      [0, 1000 + asked.length, 5003 + answer.length, '', 'F.'],
      [1, 5003 + answer.length, 1001 + asked.length, '', 'F.'],
    ),
  );
  expect(seen).toEqual(['GET /a | 200 | ']);
});

const EXCHANGE = {
  kind: 'exchange',
  protocol: 'http',
  label: 'GET /a',
  requestBytes: 1,
  responseBytes: 1,
  status: '200',
  failed: false,
  route: 'GET /a',
  fields: {},
} as const;

test.each([
  ['one clock stamped all', [10, 11, 15, 16], [10, 11, 15, 16]],
  ['the answer was stamped by another clock', [10, 11, 40, 41], [10, 11, undefined, undefined]],
  ['the end of the answer was', [10, 11, 15, 41], [10, 11, 15, undefined]],
  ['the end of the request was', [10, 31, 15, 16], [10, 10, undefined, undefined]],
  ['the other clock stamped all', [31, 31, 40, 41], [31, 31, 40, 41]],
  ['a time that both clocks may have stamped', [25, 25, 40, 41], [25, 25, undefined, undefined]],
])('%s', (_, [time = 0, requestEnd = 0, responseTime, responseEnd], expected) => {
  const history = new ClockHistory();
  history.add(0, 1, 0, 25);
  history.add(0, 2, 24, 50);
  history.add(1, 1, 0, 20);
  history.add(1, 2, 38, 50);
  const event = history.proven({ ...EXCHANGE, time, requestEnd, responseTime, responseEnd }, 0);
  expect([event.time, event.requestEnd, event.responseTime, event.responseEnd]).toEqual(expected);
});

/** A segment captured at an interface, at a time in ms. */
const segment = (
  interfaceId: number,
  at: number,
  side: 0 | 1,
  numbers: readonly [sequence: number, acknowledgment: number],
  payload = '',
  flags = '.',
): BuiltSegment => ({
  interfaceId,
  at,
  side,
  sequence: numbers[0],
  acknowledgment: numbers[1],
  payload,
  flags,
});

test('the first answers were captured nowhere, their requests at another place: the handshake shows where the answers begin', () => {
  const answer = (status: number) => `HTTP/1.1 ${status} OK\r\nContent-Length: 0\r\n\r\n`;
  const get = (name: string) => `GET /${name} HTTP/1.1\r\nHost: shop\r\n\r\n`;
  const requests = get('a') + get('b');
  const second = 5001 + answer(207).length;
  const handshakes = [segment(0, 0, 0, [1000, 0], '', 'S'), segment(0, 0.1, 0, [1001, 5001])];
  const answers = [
    segment(0, 0.2, 1, [second, 1001 + requests.length], answer(208)),
    segment(1, 0.8, 1, [second, 1001 + requests.length], answer(208)),
  ];
  const elsewhere = segment(1, 0.7, 0, [1001, 5001], requests);
  for (const missing of [[], handshakes.slice(1)]) {
    const seen = [...handshakes.filter((one) => !missing.includes(one)), ...answers, elsewhere];
    const events = brief(
      builtPcapng(
        seen.toSorted((a, b) => a.at - b.at),
        ['server', 'client'],
      ),
    );
    expect(events).toEqual(['GET /a |  | unknown', '(request unknown) | 208 | unknown', 'GET /b |  | unknown']);
  }
});

test('a request of which only a retransmission was captured, which acknowledges its own answer: that came after the request', () => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const get = (name: string) => `GET /${name} HTTP/1.1\r\nHost: shop\r\n\r\n`;
  const [size, answers] = [get('a').length, answer.length];
  const seen = brief(
    capture(
      80,
      [0, 1000, 0, '', 'S'],
      [1, 5000, 1001, '', 'S.'],
      [0, 1001, 5001],
      [0, 1001, 5001, get('a')],
      [1, 5001, 1001 + size, answer],
      // The request for /b is missing, and comes again together with the one for /c.
      [1, 5001 + answers, 1001 + 2 * size, answer.replace('200', '201')],
      [0, 1001 + 2 * size, 5001 + 2 * answers, get('c')],
      [0, 1001 + size, 5001 + 2 * answers, get('b')],
      [1, 5001 + 2 * answers, 1001 + 3 * size, answer.replace('200', '202')],
    ),
  );
  expect(seen).toEqual(['GET /a | 200 | ', 'GET /b | 201 | ', 'GET /c | 202 | ']);
});

test('a request that is captured behind the end of its stream may have been answered before the capture', () => {
  const seen = brief(
    capture(
      27017,
      [0, 1000 + FIND.length, 5000, '', 'F.'],
      [0, 1000, 5000, FIND],
      [1, 5000, 1000 + FIND.length, '', 'F.'],
      [0, 1001 + FIND.length, 5001],
    ),
  );
  expect(seen).toContain('find shop.c0 |  | unknown');
});

test('a request was sent again when it had been answered, and only that was captured at the place that counts', () => {
  const answer = (status: number) => `HTTP/1.1 ${status} OK\r\nContent-Length: 0\r\n\r\n`;
  const get = (name: string) => `GET /${name} HTTP/1.1\r\nHost: shop\r\n\r\n`;
  const client = (index: number) => 1001 + index * get('a').length;
  const server = (index: number) => 5001 + index * answer(200).length;
  const seen = brief(
    builtPcapng(
      [
        segment(0, 0, 0, [1000, 0], '', 'S'),
        segment(0, 0.1, 1, [5000, 1001], '', 'S.'),
        segment(0, 0.2, 0, [client(0), server(0)]),
        segment(0, 0.3, 0, [client(0), server(0)], get('a')),
        segment(0, 0.4, 1, [server(0), client(1)], answer(200)),
        segment(1, 1, 0, [client(1), server(1)], get('b')),
        segment(1, 1.1, 1, [server(1), client(2)], answer(201)),
        segment(0, 3, 0, [client(2), server(2)], get('c')),
        segment(0, 3.01, 0, [client(1), server(2)], get('b')),
        segment(0, 100, 1, [server(2), client(3)], answer(202)),
      ],
      ['server', 'client'],
    ),
  );
  expect(seen).toEqual(['GET /a | 200 | ', 'GET /b | 201 | ', 'GET /c | 202 | ']);
});

test('what was captured first, with a hole behind it, may have been sent again: no missing answer is stated', () => {
  const seen = brief(
    capture(
      27017,
      [0, 1000, 5000, FIND],
      [0, 9000, 5000, NEXT],
      [1, 5000, 9000 + NEXT.length, LAST],
      [0, 9000 + NEXT.length, 5000 + LAST.length, '', 'F.'],
      [1, 5000 + LAST.length, 9001 + NEXT.length, '', 'F.'],
    ),
  );
  expect(seen).toContain('find shop.c0 |  | unknown');
});
