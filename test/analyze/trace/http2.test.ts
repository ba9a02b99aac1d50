import { expect, test } from 'vitest';
import { TracedCapture } from '../../support/traced-capture.ts';
import {
  END_HEADERS,
  END_STREAM,
  frame,
  literal,
  OPENING,
  request,
  response,
  TYPE,
} from '../protocols/http2/made-frames.ts';
import { brief, CLIENT, EDGE, get, ok, SERVICE, sum, tracesOf, WEB } from './traces.ts';

const places = [
  { interfaceId: 0, ttl: 64 },
  { interfaceId: 1, ttl: 62, server: [WEB, 8080] as const, ahead: 300 },
];

/** A connection of HTTP/2 through a Service, begun. */
function begun(capture: TracedCapture) {
  const connection = capture.connection(places, [CLIENT, 40_000], [SERVICE, 80], [1000, 9000]).handshake(1000);
  for (const [side, bytes] of OPENING) connection.send(side, bytes, [1001, 1001.1]);
  return connection;
}

test('streams of one connection are split between two places each by its own bytes', () => {
  const capture = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
  begun(capture)
    .send(0, request(1, '/one'), [1010, 1012])
    .send(0, request(3, '/two'), [1011, 1016])
    .send(1, response(3, 200), [1030, 1029])
    .send(1, response(1, 200), [1050, 1045]);
  const traces = tracesOf(capture);
  expect(traces.map(({ label, total }) => `${label} ${total}`)).toEqual(['GET /two 19000000', 'GET /one 40000000']);
  expect(traces.map(({ hops }) => hops.filter(({ latency }) => latency > 0).map(brief))).toEqual([
    ['shop/client-1 > shop/web-1 network 6', 'shop/web-1 server 13'],
    ['shop/client-1 > shop/web-1 network 7', 'shop/web-1 server 33'],
  ]);
});

test('responses of two streams whose frames alternate end each with its own last frame', () => {
  const capture = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
  const head = (stream: number) => frame(TYPE.headers, END_HEADERS, stream, literal(':status', '200'));
  const body = (stream: number, flags: number) => frame(TYPE.data, flags, stream, Buffer.from('half'));
  begun(capture)
    .send(0, Buffer.concat([request(1, '/one'), request(3, '/two')]), [1010, 1011])
    .send(1, Buffer.concat([head(1), head(3)]), [1022, 1021])
    .send(1, body(1, 0), [1032, 1031])
    .send(1, Buffer.concat([body(3, END_STREAM), body(1, 0)]), [1042, 1041])
    .send(1, body(1, END_STREAM), [1052, 1051]);
  const traces = tracesOf(capture);
  expect(traces.map(({ label, total }) => `${label} ${total}`)).toEqual(['GET /two 32000000', 'GET /one 42000000']);
  for (const { hops, total } of traces) {
    expect(hops.map(brief)).toContain('shop/client-1 > shop/web-1 network 2');
    expect(sum(hops)).toBe(total);
  }
});

test('a gRPC call is split between two places', () => {
  const capture = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
  const call = frame(
    TYPE.headers,
    END_HEADERS,
    1,
    literal(':method', 'POST', ':scheme', 'http', ':path', '/cart.Cart/Get', 'content-type', 'application/grpc'),
  );
  const message = frame(TYPE.data, END_STREAM, 1, Buffer.of(0, 0, 0, 0, 1, 7));
  const trailers = frame(TYPE.headers, END_HEADERS | END_STREAM, 1, literal('grpc-status', '0'));
  const answer = [
    frame(TYPE.headers, END_HEADERS, 1, literal(':status', '200', 'content-type', 'application/grpc')),
    frame(TYPE.data, 0, 1, Buffer.of(0, 0, 0, 0, 1, 8)),
  ];
  begun(capture)
    .send(0, call, [1010, 1011])
    .send(0, message, [1013, 1014])
    .send(1, Buffer.concat(answer), [1030, 1028])
    .send(1, trailers, [1034, 1033]);
  const [one] = tracesOf(capture);
  expect(one).toMatchObject({ protocol: 'grpc', label: 'cart.Cart/Get', status: 'OK', total: 24e6 });
  expect(one?.hops.map(brief)).toEqual([
    'shop/client-1 request 3',
    'shop/client-1 > shop/web-1 network 3',
    'shop/web-1 server 14',
    'shop/client-1 response 4',
  ]);
});

/** client → edge, which passes requests on in the other version of HTTP. */
function translated(outer: 1 | 2, id: string | undefined): TracedCapture {
  const capture = new TracedCapture(['shop/client-1/any', 'ingress/edge-1/any', 'shop/web-1/any']);
  const outerPlaces = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 63 },
  ];
  const innerPlaces = [
    { interfaceId: 1, ttl: 64 },
    { interfaceId: 2, ttl: 62, ahead: 50 },
  ];
  const one = capture.connection(outerPlaces, [CLIENT, 40_000], [EDGE, 80], [1000, 9000]).handshake(1000);
  const other = capture.connection(innerPlaces, [EDGE, 50_000], [WEB, 8080], [77_000, 88_000]).handshake(1002);
  for (const [side, bytes] of OPENING) (outer === 2 ? one : other).send(side, bytes, [1004, 1004.1]);
  const fields = id === undefined ? [] : ['x-request-id', id];
  const asked = (version: 1 | 2, stream: number, path: string) =>
    version === 2
      ? request(stream, path, ...fields)
      : get(path, fields.length === 0 ? '' : `X-Request-Id: ${fields[1]}\r\n`);
  const answered = (version: 1 | 2, stream: number) =>
    version === 2 ? response(stream, 200, 'hello', 'content-length', '5') : ok();
  const inner = outer === 1 ? 2 : 1;
  one.send(0, asked(outer, 1, '/cart'), [1010, 1011]);
  other.send(0, asked(inner, 1, '/cart'), [1012, 1013]).send(1, answered(inner, 1), [1024, 1023]);
  one.send(1, answered(outer, 1), [1026, 1025]);
  return capture;
}

const WHOLE = [
  'shop/client-1 > ingress/edge-1 network 2',
  'ingress/edge-1 proxy 1',
  'ingress/edge-1 > shop/web-1 network 2',
  'shop/web-1 server 10',
  'ingress/edge-1 proxy 1',
];

test.each([1, 2] as const)('a proxy that takes HTTP/%i and asks in the other version is one trace', (outer) => {
  const proven = tracesOf(translated(outer, '6f1c'));
  expect(proven).toHaveLength(1);
  expect(proven[0]?.hops.filter(({ latency }) => latency > 0).map(brief)).toEqual(WHOLE);
  expect(proven[0]?.hops.find(({ depth }) => depth === 1)).toMatchObject({ confidence: 'proven' });
  expect(sum(proven[0]?.hops ?? [])).toBe(proven[0]?.total);
  const likely = tracesOf(translated(outer, undefined));
  expect(likely).toHaveLength(1);
  expect(likely[0]?.hops.find(({ depth }) => depth === 1)).toMatchObject({ confidence: 'likely' });
});

test('streams of one connection that a proxy has open at once are told apart by their paths', () => {
  const capture = new TracedCapture(['ingress/edge-1/any']);
  const here = [{ interfaceId: 0 }];
  const outer = capture.connection(here, [CLIENT, 40_000], [EDGE, 80], [1000, 9000]).handshake(1000);
  const inner = capture.connection(here, [EDGE, 50_000], [WEB, 8080], [77_000, 88_000]).handshake(1002);
  for (const [side, bytes] of OPENING) {
    outer.send(side, bytes, [1004]);
    inner.send(side, bytes, [1004.5]);
  }
  const sized = (stream: number, size: number) => response(stream, 200, 'x'.repeat(size), 'content-length', `${size}`);
  outer.send(0, Buffer.concat([request(1, '/one'), request(3, '/two')]), [1010]);
  inner.send(0, request(1, '/two'), [1011]).send(0, request(3, '/one'), [1012]);
  inner.send(1, sized(3, 3), [1020]).send(1, sized(1, 4), [1030]);
  outer.send(1, sized(1, 3), [1021]).send(1, sized(3, 4), [1031]);
  const traces = tracesOf(capture);
  expect(
    traces.map(({ label, hops }) => [label, ...hops.filter(({ depth }) => depth === 1).map((hop) => hop.label)]),
  ).toEqual([
    ['GET /one', 'GET /one', 'GET /one', 'GET /one'],
    ['GET /two', 'GET /two', 'GET /two', 'GET /two'],
  ]);
});
