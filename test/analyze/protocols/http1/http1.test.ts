import { expect, test } from 'vitest';
import { http1 } from '../../../../src/analyze/protocols/http1/index.ts';
import { Bodies } from '../../../../src/analyze/protocols/http1/message-body.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { Random } from '../../../support/random.ts';
import { play, playCut, type Step } from '../play.ts';

const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange'
      ? [event.label, event.status, event.requestBytes, event.responseBytes, event.incomplete ?? ''].join(' | ')
      : event.label,
  );

const GET = 'GET /cart?id=7 HTTP/1.1\r\nHost: shop\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

function conversations(): Record<string, { steps: Step[]; expected: string[] }> {
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nTrailer: 1\r\n\r\n';
  return {
    'a request and its answer': {
      steps: [
        [0, GET],
        [1, OK],
      ],
      expected: [`GET /cart?id=7 | 200 | ${GET.length} | ${OK.length} | `],
    },
    'pipelined requests, answered in order': {
      steps: [
        [0, `${GET}HEAD /b HTTP/1.1\r\n\r\nGET /c HTTP/1.0\n\n`],
        [1, `${OK}${OK.slice(0, -5)}${OK}`],
      ],
      expected: [
        `GET /cart?id=7 | 200 | ${GET.length} | ${OK.length} | `,
        `HEAD /b | 200 | 20 | ${OK.length - 5} | `,
        `GET /c | 200 | 17 | ${OK.length} | `,
      ],
    },
    'a version misspelt, without a number, and spaces in the target': {
      steps: [
        [0, 'GET /a HTTP/1.\r\n\r\nGET /b HTTP/one\r\n\r\nGET /c d HTTP/1.1\r\n\r\n'],
        [1, `${OK}${OK}${OK}`],
      ],
      expected: [
        `GET /a | 200 | 18 | ${OK.length} | `,
        `GET /b | 200 | 19 | ${OK.length} | `,
        `GET /c d | 200 | 21 | ${OK.length} | `,
      ],
    },
    'a chunked body with extension and trailer, then another': {
      steps: [
        [0, GET],
        [1, chunked],
        [0, GET],
        [1, OK],
      ],
      expected: [
        `GET /cart?id=7 | 200 | ${GET.length} | ${chunked.length} | `,
        `GET /cart?id=7 | 200 | ${GET.length} | ${OK.length} | `,
      ],
    },
    'interim responses': {
      steps: [
        [0, 'POST /u HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n'],
        [1, 'HTTP/1.1 100 Continue\r\n\r\n'],
        [0, 'abc'],
        [1, 'HTTP/1.1 204 No Content\r\n\r\n'],
      ],
      expected: ['POST /u | 204 | 64 | 27 | '],
    },
    'a body that ends with the connection': {
      steps: [
        [0, 'GET / HTTP/1.0\r\n\r\n'],
        [1, 'HTTP/1.0 200 OK\r\n\r\nabc'],
        [1, 'def'],
      ],
      expected: ['GET / | 200 | 18 | 25 | '],
    },
    'a request that is not answered': {
      steps: [[0, GET]],
      expected: [`GET /cart?id=7 |  | ${GET.length} | 0 | no response`],
    },
    'an answer whose request was not seen': {
      steps: [
        [1, OK],
        [0, GET],
        [1, OK],
      ],
      expected: [
        `(request not seen) | 200 | 0 | ${OK.length} | request not seen`,
        `GET /cart?id=7 | 200 | ${GET.length} | ${OK.length} | `,
      ],
    },
    'a gap within a body': {
      steps: [
        [0, GET],
        [1, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'],
        [1, { gap: 100 }],
        [0, GET],
        [1, OK],
      ],
      expected: [
        `GET /cart?id=7 | 200 | ${GET.length} | 40 | response not captured`,
        `GET /cart?id=7 | 200 | ${GET.length} | ${OK.length} | `,
      ],
    },
    'a tunnel is not looked into': {
      steps: [
        [0, 'CONNECT x:443 HTTP/1.1\r\n\r\n'],
        [1, 'HTTP/1.1 200 OK\r\n\r\n'],
        [0, GET],
        [1, OK],
      ],
      expected: ['CONNECT x:443 | 200 | 26 | 19 | '],
    },
  };
}

test.each(Object.entries(conversations()))('%s, cut anywhere', (_, { steps, expected }) => {
  for (const events of playCut(http1, steps)) expect(brief(events)).toEqual(expected);
  // Without detail a label is its route: no query.
  const routes = expected.map((line) => line.replace('?id=7', ''));
  for (const events of playCut(http1, steps, { detail: false })) expect(brief(events)).toEqual(routes);
});

test('fields, masked and shown', () => {
  const request =
    'GET /a?token=secret&x=1 HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer abc\r\nCookie: a=b\r\nX-Request-ID: r1\r\n\r\n';
  const steps: Step[] = [
    [0, request],
    [1, 'HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n'],
  ];
  const [masked] = play(http1, steps);
  const text = JSON.stringify(masked);
  for (const secret of ['secret', 'abc', 'a=b', 's=1']) expect(text).not.toContain(secret);
  expect(masked).toMatchObject({
    failed: true,
    route: 'GET /a',
    time: 0,
    responseTime: 1e6,
    fields: { http: { method: 'GET', host: 'shop', status: 503, requestId: 'r1', contentType: 'text/html' } },
  });
  const [shown] = play(http1, steps, { showSecrets: true });
  expect(shown?.fields.http).toMatchObject({
    path: '/a?token=secret&x=1',
    requestHeaders: { authorization: 'Bearer abc', cookie: 'a=b' },
  });
});

test('ids do not make routes', () => {
  const routes = ['/users/42/cart', '/o/123e4567-e89b-12d3-a456-426614174000', 'http://shop/x?y'].map((path) => {
    const [event] = play(http1, [[0, `GET ${path} HTTP/1.1\r\n\r\n`]]);
    return event?.kind === 'exchange' ? event.route : '';
  });
  expect(routes).toEqual(['GET /users/:id/cart', 'GET /o/:id', 'GET /x']);
});

test('any bytes, gaps anywhere: no exception, and bounded', () => {
  const material = Buffer.from(`${GET}${OK}HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n`, 'latin1');
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new Random(seed);
    const steps: Step[] = Array.from({ length: 30 }, () => {
      const side = random.below(2) === 0 ? 0 : 1;
      if (random.below(8) === 0) return [side, { gap: random.below(5000) }];
      const from = random.below(material.length);
      const part = Buffer.from(material.subarray(from, from + random.below(120)));
      if (part.length > 0 && random.below(3) === 0) part[random.below(part.length)] = random.below(256);
      return [side, part];
    });
    expect(play(http1, steps).length).toBeLessThan(200);
  }
});

test.each([
  ['GET /', 'client'],
  ['GET', 'more'],
  ['HTTP/1.1 200', 'server'],
  ['HT', 'more'],
  ['\r\n\r\nGET /', 'client'],
  ['\r\n', 'more'],
  ['\r\n\r\n\r\nGET /', 'no'],
  ['BAN /a', 'client'],
  ['PRI * HTTP/2.0', 'no'],
  ['GETX', 'no'],
  ['\x16\x03\x01', 'no'],
])('%j looks like %s', (text, likeness) => {
  const bytes = Buffer.from(text, 'latin1');
  expect(http1.probe(bytes, 0, bytes.length)).toBe(likeness);
});

test.each([
  ['GET /up HTTP/1.1\r\nUpgrade: websocket', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'],
  ['GET /up HTTP/1.1\r\nUpgrade: h2c', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n'],
  ['CONNECT shop:443 HTTP/1.1', 'HTTP/1.1 200 OK\r\n\r\n'],
])('behind "%s" no body is kept of a request that is not answered any more', (request, response) => {
  const bodies = new Bodies(false, 1000);
  const pipelined = `POST /next HTTP/1.1\r\nContent-Length: 500\r\n\r\n${'b'.repeat(400)}`;
  const steps: Step[] = [
    [0, `${request}\r\n\r\n${pipelined}`],
    [1, response],
    [0, 'b'.repeat(100)],
  ];
  play(http1, steps, { bodies });
  expect(bodies.take(1000)).toBe(1000);
});

const NOT_COMPLETE = 'not complete when the exchange ended';

test('a body that an early response, or the end of the connection, cuts off has a note', () => {
  const post = 'POST /up HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n';
  const refused = 'HTTP/1.1 413 Too Large\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno';
  const bodies = (steps: readonly Step[], end?: 'reset') =>
    play(http1, steps, { bodies: true, ...(end === undefined ? {} : { end }) })
      .filter(({ kind }) => kind === 'exchange')
      .map(({ fields }) => fields.http);
  expect(
    bodies([
      [0, `${post}first`],
      [1, refused],
      [0, 'later'],
    ]),
  ).toMatchObject([
    { requestBody: 'first', requestBodyNote: NOT_COMPLETE, responseBody: 'no', responseBodyNote: undefined },
  ]);
  expect(
    bodies([
      [0, `${post}firstlater`],
      [1, refused],
    ]),
  ).toMatchObject([{ requestBody: 'firstlater', requestBodyNote: undefined }]);
  expect(
    bodies(
      [
        [0, `${post}firstlater`],
        [1, refused.slice(0, -1)],
      ],
      'reset',
    ),
  ).toMatchObject([{ requestBodyNote: undefined, responseBody: 'n', responseBodyNote: NOT_COMPLETE }]);
});
