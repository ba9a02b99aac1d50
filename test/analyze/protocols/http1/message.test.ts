import { expect, test } from 'vitest';
import { http1 } from '../../../../src/analyze/protocols/http1/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { type PlayOptions, play, playCut, type Step } from '../play.ts';

const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) => {
    if (event.kind !== 'exchange') return `${event.kind === 'event' ? event.code : event.kind} ${event.label}`;
    return [event.label, event.status, event.incomplete ?? '', event.failed ? 'failed' : ''].join(' | ');
  });

const GET = 'GET /a HTTP/1.1\r\nHost: shop\r\n\r\n';
const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const EXPECT = 'POST /up HTTP/1.1\r\nContent-Length: 30\r\nExpect: 100-continue\r\n\r\n';
const REFUSED = 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n';

test.each<[string, Step[], string[]]>([
  [
    'a final answer instead of 100: the next request follows the head',
    [
      [0, EXPECT],
      [1, REFUSED],
      [0, `POST /up HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc`],
      [1, EMPTY],
      [0, GET],
      [1, EMPTY],
    ],
    ['POST /up | 417 |  | ', 'POST /up | 200 |  | ', 'GET /a | 200 |  | '],
  ],
  [
    'a final answer instead of 100, and the body all the same',
    [
      [0, EXPECT],
      [1, REFUSED],
      [0, 'GETTING on with thirty bytes..'],
      [0, GET],
      [1, EMPTY],
    ],
    ['POST /up | 417 |  | ', 'GET /a | 200 |  | '],
  ],
  [
    'a final answer instead of 100 to a chunked request',
    [
      [0, EXPECT.replace('Content-Length: 30', 'Transfer-Encoding: chunked')],
      [1, REFUSED],
      [0, GET],
      [1, EMPTY],
    ],
    ['POST /up | 417 |  | ', 'GET /a | 200 |  | '],
  ],
  [
    'folded fields',
    [
      [0, 'POST /f HTTP/1.1\r\nTransfer-Encoding:\r\n gzip,\r\n\tchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
      [1, 'HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\nX: 1\r\n 7\r\n\r\nhello'],
      [0, GET],
      [1, EMPTY],
    ],
    ['POST /f | 200 |  | ', 'GET /a | 200 |  | '],
  ],
  [
    'HTTP/0.9: a line, and an answer without a head',
    [
      [0, 'GET /old\r\n'],
      [1, '<html>as it was'],
      [1, ' then'],
    ],
    ['GET /old |  |  | '],
  ],
  [
    'HTTP/0.9 answered with a head',
    [
      [0, 'GET /old\r\n'],
      [1, 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno'],
    ],
    ['GET /old | 400 |  | '],
  ],
  [
    'a head that does not end, and the answer that says so',
    [
      [0, 'GET /slow HTTP/1.1\r\nHost: shop\r\nX-A: '],
      [1, 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n'],
    ],
    ['GET /slow | 408 |  | '],
  ],
  [
    'a head that does not end, and no answer',
    [[0, 'GET /slow HTTP/1.1\r\nHost: shop']],
    ['GET /slow |  | no response | failed'],
  ],
  [
    'the answer to a HEAD that was not seen has no body',
    [
      [1, 'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n'],
      [1, 'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n'],
      [0, GET],
      [1, EMPTY],
    ],
    [
      '(request not seen) | 200 | request not seen | ',
      '(request not seen) | 404 | request not seen | ',
      'GET /a | 200 |  | ',
    ],
  ],
  [
    'a 204 with a body, and without the one it announces',
    [
      [0, GET],
      [1, 'HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc'],
      [0, GET],
      [1, 'HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n'],
      [0, GET],
      [1, EMPTY],
    ],
    ['GET /a | 204 |  | ', 'GET /a | 204 |  | ', 'GET /a | 200 |  | '],
  ],
])('%s, cut anywhere', (_, steps, expected) => {
  for (const events of playCut(http1, steps)) expect(brief(events)).toEqual(expected);
});

test('a head too long to be kept is a request all the same', () => {
  const line = 'GET /endless HTTP/1.1\r\n';
  const [event] = play(http1, [
    [0, line],
    ...Array.from({ length: 70 }, (): Step => [0, `X: ${'y'.repeat(1000)}\r\n`]),
  ]);
  expect(event).toMatchObject({ label: 'GET /endless', incomplete: 'no response', failed: true });
});

const HALF = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n1234567890';
const OPEN = 'HTTP/1.0 200 OK\r\n\r\n1234567890';

test.each<[string, string, PlayOptions, string, 0 | 1 | undefined]>([
  ['closed within a body', HALF, { end: 'closed', endBy: 1 }, 'GET /a | 200 | closed early | failed', 1],
  ['reset within a body', HALF, { end: 'reset', endBy: 0, finished: [] }, 'GET /a | 200 | reset | failed', 0],
  [
    'reset behind an early FIN',
    HALF,
    { end: 'reset', endBy: 1, finished: [1] },
    'GET /a | 200 | closed early | failed',
    1,
  ],
  [
    'cut by the end of the capture',
    HALF,
    { end: 'capture ended', finished: [] },
    'GET /a | 200 | capture ended | ',
    undefined,
  ],
  ['given up', HALF, { end: 'evicted', finished: [] }, 'GET /a | 200 | unknown | ', undefined],
  ['to the end of the stream', OPEN, { end: 'closed', endBy: 1 }, 'GET /a | 200 |  | ', undefined],
  ['to a FIN before a reset', OPEN, { end: 'reset', endBy: 0, finished: [1] }, 'GET /a | 200 |  | ', undefined],
  ['to a reset without FIN', OPEN, { end: 'reset', endBy: 1, finished: [] }, 'GET /a | 200 | reset | failed', 1],
  ['to a FIN, the other side open', OPEN, { end: 'capture ended', finished: [1] }, 'GET /a | 200 |  | ', undefined],
  ['none, closed', '', { end: 'closed', endBy: 1 }, 'GET /a |  | no response | failed', 1],
  ['none, reset', '', { end: 'reset', endBy: 1, finished: [] }, 'GET /a |  | reset | failed', 1],
  ['none, capture over', '', { end: 'capture ended', finished: [] }, 'GET /a |  | capture ended | ', undefined],
  ['none, server finished', '', { end: 'capture ended', finished: [1] }, 'GET /a |  | no response | failed', 1],
  ['none, expired', '', { end: 'expired', finished: [] }, 'GET /a |  | unknown | ', undefined],
  [
    'cut within its head',
    'HTTP/1.1 503 Gone\r\nX: ',
    { end: 'reset', endBy: 1, finished: [] },
    'GET /a | 503 | reset | failed',
    1,
  ],
  [
    'cut within its first line',
    'HTTP/1.1 5',
    { end: 'reset', endBy: 1, finished: [] },
    'GET /a |  | reset | failed',
    1,
  ],
])('how a response ends: %s', (_, response, options, expected, endedBy) => {
  const steps: Step[] = [[0, GET], ...(response === '' ? [] : [[1, response] as const])];
  for (const events of playCut(http1, steps, options)) {
    expect(brief(events)).toEqual([expected]);
    expect(events[0]).toMatchObject({ endedBy, responseBytes: response.length });
  }
});

test('bytes had of bytes announced', () => {
  const [event] = play(
    http1,
    [
      [0, GET],
      [1, HALF],
    ],
    { end: 'closed', endBy: 0 },
  );
  expect(event).toMatchObject({ responseBytes: HALF.length, declaredBytes: HALF.length + 90, endedBy: 0 });
});

test.each<[string, Step[], string[]]>([
  [
    'within a request head: its line is known, and where the target ends is not said',
    [
      [0, 'GET /orders/17'],
      [0, { gap: 100 }],
      [1, EMPTY],
      [0, GET],
      [1, EMPTY],
    ],
    // The next request is likely the first behind the hole, and not proven to be.
    ['GET /orders/17… | 200 | request not captured | ', 'GET /a | 200 |  | '],
  ],
  [
    'of a request: its response has none, the next pair is right',
    [
      [0, GET],
      [1, EMPTY],
      [0, { gap: GET.length }],
      [1, EMPTY.replace('200', '201')],
      [0, GET],
      [1, EMPTY.replace('200', '202')],
    ],
    ['GET /a | 200 |  | ', '(request not seen) | 201 | request not seen | ', 'GET /a | 202 |  | '],
  ],
  [
    'of a response: its request has none, the next pair is right',
    [
      [0, GET],
      [1, { gap: EMPTY.length }],
      [0, GET.replace('/a', '/b')],
      [1, EMPTY],
    ],
    ['GET /a |  | response not captured | ', 'GET /b | 200 |  | '],
  ],
  [
    'of the last response: it is not known, and not failed',
    [
      [0, GET],
      [1, { gap: EMPTY.length }],
    ],
    ['GET /a |  | response not captured | '],
  ],
  [
    'behind a body: the response it ends is marked, the next request waits for its own',
    [
      [0, GET],
      [1, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345'],
      [1, { gap: 5 + EMPTY.length }],
      [0, GET],
      [1, EMPTY],
    ],
    ['GET /a | 200 | response not captured | ', 'GET /a | 200 |  | '],
  ],
])('a hole %s', (_, steps, expected) => {
  for (const events of playCut(http1, steps, {}, 4)) expect(brief(events)).toEqual(expected);
});

test('the end of a response that was not seen has no time', () => {
  const [event] = play(http1, [
    [0, GET],
    [1, HALF],
    [1, { gap: 90 }],
    [0, GET],
    [1, EMPTY],
  ]);
  expect(event).toMatchObject({ responseTime: 1e6, responseEnd: undefined, incomplete: 'response not captured' });
  const [, timeless] = play(
    http1,
    [
      [0, GET],
      [1, EMPTY],
      [0, GET],
      [1, EMPTY],
    ],
    { timeless: [3] },
  );
  expect(timeless).toMatchObject({ status: '200', responseTime: undefined, responseEnd: undefined });
});

test('without a request there are no times between', () => {
  const [cut] = play(http1, [[1, HALF]], { end: 'capture ended', finished: [] });
  expect(cut).toMatchObject({ label: '(request not seen)', incomplete: 'capture ended', responseTime: undefined });
  const [whole] = play(http1, [[1, EMPTY]]);
  expect(whole).toMatchObject({ incomplete: 'request not seen', responseTime: 0, responseEnd: 0 });
});

test('what is not HTTP is said once, and HTTP goes on behind it', () => {
  const events = play(http1, [
    [0, GET],
    [1, '\x15\x03\x01\0\x02\x02\x28'],
    [1, 'more'],
    [0, GET],
    [1, EMPTY],
  ]);
  expect(brief(events)[0]).toBe(
    'PROTOCOL_LOST HTTP not understood at byte 0 from the server: no start line; resumes at the next response',
  );
  expect(events.filter((event) => event.kind === 'event')).toHaveLength(1);
  expect(brief(events).slice(1)).toContain('GET /a | 200 |  | ');
});

test('a message of the wrong side is not understood, and costs none of the next ones', () => {
  const next: Step[] = [
    [0, GET],
    [1, EMPTY],
  ];
  const lost = (side: 0 | 1, message: string) => {
    const events = play(http1, [...next, [side, message], ...next]);
    const pairs = events.filter(({ kind }) => kind === 'exchange');
    expect(brief(pairs).filter((line) => line === 'GET /a | 200 |  | ').length).toBeGreaterThan(0);
    return events.filter(({ kind }) => kind === 'event').map(({ label }) => label);
  };
  expect(lost(0, EMPTY)).toEqual([
    `HTTP not understood at byte ${GET.length} from the client: a response from the client; resumes at the next request`,
  ]);
  expect(lost(1, GET)).toEqual([
    `HTTP not understood at byte ${EMPTY.length} from the server: a request from the server; resumes at the next response`,
  ]);
});

test.each([
  ['CONNECT {"verbose":true}\r\nPING\r\n', 'no'],
  ['OPTIONS sip:a@b SIP/2.0\r\n', 'no'],
  ['NOTIFY sip:a@b SIP/2.0\r\n', 'no'],
  ['OPTIONS * RTSP/1.0\r\n', 'no'],
  ['SUBSCRIBE foo 1\r\n', 'no'],
  ['CONNECT {"verbose"', 'more'],
  ['CONNECT shop:443 HTTP/1.1\r\n', 'client'],
  ['OPTIONS * HTTP/1.1\r\n', 'client'],
  ['GET http://a/', 'client'],
  ['GET /x\r\n', 'client'],
  ['GET /x y\r\n', 'no'],
  ['GET /x\r\nGET /y\r\n', 'no'],
  ['POST /x\r\n', 'no'],
  ['FROB /x', 'more'],
  ['FROB /x HTTP/1.1\r\n', 'client'],
  ['FROB /x\r\n', 'no'],
  ['GET /a HTTP/one\r\n', 'client'],
])('%j looks like %s', (text, likeness) => {
  const bytes = Buffer.from(text, 'latin1');
  expect(http1.probe(bytes, 0, bytes.length)).toBe(likeness);
});

test('a request that was not captured while no message was under way makes only its own answer one without a request', () => {
  const events = play(http1, [
    [0, GET],
    [0, { gap: GET.length }],
    [1, EMPTY, GET.length],
    [1, EMPTY, 2 * GET.length],
    [0, GET],
    [1, EMPTY],
  ]);
  expect(brief(events)).toEqual([
    'GET /a | 200 |  | ',
    '(request not seen) | 200 | request not seen | ',
    'GET /a | 200 |  | ',
  ]);
});
