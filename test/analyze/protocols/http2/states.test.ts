import { join } from 'node:path';
import { expect, test } from 'vitest';
import { http2 } from '../../../../src/analyze/protocols/http2/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { type PlayOptions, play, playCut, type Step } from '../play.ts';
import { END_HEADERS, END_STREAM, frame, literal, OPENING, request, response, TYPE } from './made-frames.ts';

const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange'
      ? [event.label, event.status, event.incomplete ?? '', event.failed ? 'failed' : ''].join(' | ')
      : event.label,
  );

const [A, B] = [request(1, '/a'), request(3, '/b')];
const GRPC = ['content-type', 'application/grpc'] as const;

test.each<[string, Step[], string[]]>([
  [
    'types that nobody knows, and settings and frames of extensions',
    [
      ...OPENING,
      [1, frame(TYPE.settings, 0, 0, Buffer.from('0a0a000000010000000000000000fe0300000001'.slice(0, 36), 'hex'))],
      [0, Buffer.concat([frame(0x4d, 4, 1, Buffer.from('metadata')), frame(0xfb, 0xff, 0, Buffer.alloc(20)), A])],
      [1, Buffer.concat([frame(0x2a, 0, 0), response(1, 200), frame(0x4d, 0, 1, Buffer.alloc(300))])],
      [0, B],
      [1, response(3, 500)],
    ],
    ['GET /a | 200 |  | ', 'GET /b | 500 |  | failed'],
  ],
  [
    'a pushed request, its headers in two frames, is an exchange of its own',
    [
      ...OPENING,
      [0, A],
      [
        1,
        Buffer.concat([
          frame(TYPE.pushPromise, 0, 1, Buffer.concat([Buffer.of(0, 0, 0, 2), literal(':method', 'GET')])),
          frame(TYPE.continuation, END_HEADERS, 1, literal(':path', '/style.css')),
          response(1, 200),
        ]),
      ],
      [1, response(2, 203)],
    ],
    ['GET /a | 200 |  | ', 'GET /style.css | 203 |  | '],
  ],
  [
    'a gRPC call that a proxy refused, and one without a status',
    [
      ...OPENING,
      [0, request(1, '/a.B/Get', ...GRPC)],
      [1, response(1, 503, 'no upstream')],
      [0, request(3, '/a.B/Get', ...GRPC)],
      [1, response(3, 200, '', ...GRPC)],
      [0, request(5, '/a.B/Get', ...GRPC)],
      [1, frame(TYPE.headers, END_HEADERS | END_STREAM, 5, literal(':status', '200', ...GRPC, 'grpc-status', '5'))],
    ],
    ['a.B/Get | HTTP 503 |  | failed', 'a.B/Get |  |  | failed', 'a.B/Get | NOT_FOUND |  | failed'],
  ],
])('%s, cut anywhere', (_, steps, expected) => {
  for (const events of playCut(http2, steps)) expect(brief(events)).toEqual(expected);
});

test.each<[string, PlayOptions, string]>([
  ['closed', { end: 'closed', endBy: 1 }, 'closed early | failed'],
  ['reset', { end: 'reset', endBy: 0, finished: [] }, 'reset | failed'],
  ['the capture ended', { end: 'capture ended', finished: [] }, 'capture ended | '],
  ['the server finished', { end: 'capture ended', finished: [1] }, 'closed early | failed'],
  ['evicted', { end: 'evicted', finished: [] }, 'unknown | '],
])('a response under way when %s', (_, options, expected) => {
  const steps: Step[] = [...OPENING, [0, A], [0, B], [1, response(1, 200).subarray(0, -3)]];
  const pending = expected.replace('closed early', 'no response');
  expect(brief(play(http2, steps, options))).toEqual([`GET /a | 200 | ${expected}`, `GET /b |  | ${pending}`]);
});

test('a hole within a frame costs that frame: the next ones are read', () => {
  const answer = response(1, 200);
  const within: Step[] = [
    ...OPENING,
    [0, A],
    [0, B],
    [1, answer.subarray(0, 12)],
    [1, { gap: 8 }],
    [1, answer.subarray(20)],
    [1, response(3, 201)],
  ];
  expect(brief(play(http2, within))).toEqual(['GET /a |  | response not captured | ', 'GET /b | 201 |  | ']);
  const asked: Step[] = [
    ...OPENING,
    [0, A.subarray(0, 20)],
    [0, { gap: A.length - 20 }],
    [0, B],
    [1, Buffer.concat([answer, response(3, 201)])],
  ];
  expect(brief(play(http2, asked))).toEqual([
    '(request unknown) | 200 | request not captured | ',
    'GET /b | 201 |  | ',
  ]);
});

test('a response whose head is in a hole has no status, no first byte, and is not failed', () => {
  const answer = response(1, 500);
  const head = answer.length - 14;
  const [event] = play(http2, [...OPENING, [0, A], [1, { gap: head }], [1, answer.subarray(head)]]);
  expect(event).toMatchObject({
    status: '',
    failed: false,
    incomplete: 'response not captured',
    responseTime: undefined,
  });
});

test('a response that is read before its request is complete, whether that comes or not', () => {
  const asked: Step[] = [...OPENING, [0, A], [1, response(1, 200)], [1, response(5, 201)]];
  expect(brief(play(http2, asked, { endBy: 1 }))).toEqual([
    'GET /a | 200 |  | ',
    '(request not seen) | 201 | request not seen | ',
  ]);
  expect(brief(play(http2, [...asked, [0, request(5, '/c')]]))).toEqual(['GET /a | 200 |  | ', 'GET /c | 201 |  | ']);
});

test('what is not HTTP/2 is said once, and frames are read behind it', () => {
  const steps: Step[] = [
    ...OPENING,
    [0, A],
    [1, frame(TYPE.ping, 0, 7, Buffer.alloc(8))],
    [1, Buffer.concat([response(1, 200), frame(TYPE.ping, 0, 0, Buffer.alloc(8))])],
  ];
  const events = play(http2, steps);
  expect(brief(events)).toEqual([
    'HTTP/2 not understood at byte 9 from the server: no frame header; resumes at the next certain frame',
    'GET /a | 200 |  | ',
  ]);
  expect(events[0]).toMatchObject({ code: 'PROTOCOL_LOST', position: 9, failed: false });
});

test('frames of the connection before HEADERS do not hide who is who', () => {
  const before = Buffer.concat([
    frame(TYPE.settings, 1, 0),
    frame(TYPE.ping, 1, 0, Buffer.alloc(8)),
    frame(TYPE.windowUpdate, 0, 0, Buffer.of(0, 0, 1, 0)),
  ]);
  const probe = (bytes: Uint8Array) => http2.probe(bytes, 0, bytes.length);
  expect(probe(before)).toBe('more');
  for (let length = 1; length < before.length; length += 1) expect(probe(before.subarray(0, length))).toBe('more');
  expect(probe(Buffer.concat([before, A]))).toBe('client');
  expect(probe(Buffer.concat([before, response(1, 200)]))).toBe('server');
  expect(probe(frame(TYPE.settings, 0, 0, Buffer.from('fe0300000001', 'hex')))).toBe('server');
  expect(probe(frame(TYPE.settings, 0, 0, Buffer.from('000000000001', 'hex')))).toBe('no');
  for (const wrong of [
    frame(TYPE.settings, 2, 0),
    frame(TYPE.settings, 1, 0, Buffer.alloc(6)),
    frame(TYPE.settings, 0, 1),
    frame(TYPE.ping, 2, 0, Buffer.alloc(8)),
    frame(TYPE.ping, 0, 1, Buffer.alloc(8)),
    frame(TYPE.ping, 0, 0, Buffer.alloc(7)),
    frame(TYPE.windowUpdate, 1, 0, Buffer.alloc(4)),
    frame(TYPE.windowUpdate, 0, 0, Buffer.alloc(5)),
  ]) {
    expect(probe(Buffer.concat([wrong, A]))).toBe('no');
  }
});

test.each<[string, string[]]>([
  ['grpc-midstream-settings-ack-first.pcap', ['hipstershop.CartService/GetCart | OK |  | ']],
  ['grpc-status-unknown-failed.pcap', ['(request unknown) |  |  | ']],
  [
    'grpc-proxy-503.pcap',
    [
      'a.B/Un | NOT_FOUND not found: ☃ |  | failed',
      'a.B/Un | HTTP 503 |  | failed',
      'a.B/Un | OK |  | ',
      'POST /a.B/Un | 200 |  | ',
      'a.B/Cancel | RST CANCEL | reset | failed',
      'a.B/Dead |  | no response | failed',
    ],
  ],
  [
    'http2-unknown-frame.pcap',
    ['GET /p | 200 |  | ', 'GET /q | 200 |  | ', 'GET /r | 500 |  | failed', 'GET /s | 200 |  | '],
  ],
])('%s', async (name, expected) => {
  const { events } = await analyseFile(join(import.meta.dirname, 'captures', name));
  expect(brief(events.map(({ event }) => event))).toEqual(expected);
});

test('a response of which the head was not captured is marked, though its trailers are in a table that is not known', () => {
  const head = frame(TYPE.headers, END_HEADERS, 1, literal(':status', '200', ...GRPC));
  // An index of the dynamic table: behind the hole it stands for a field that is not known.
  const trailers = frame(TYPE.headers, END_HEADERS | END_STREAM, 1, Buffer.of(0xbe));
  const data = frame(TYPE.data, 0, 1, Buffer.from([0, 0, 0, 0, 1, 7]));
  for (const rest of [[data, trailers], [trailers]]) {
    const steps: Step[] = [...OPENING, [0, request(1, '/a.B/Get', ...GRPC)], [1, { gap: head.length }]];
    const events = play(http2, [...steps, ...rest.map((bytes): Step => [1, bytes])]);
    expect(brief(events)).toEqual(['a.B/Get |  | response not captured | ']);
  }
});

test('requests that wait for the limit of streams are reported once, when there are twenty', () => {
  const allowed = (streams: number) => frame(TYPE.settings, 0, 0, Buffer.of(0, 3, 0, 0, 0, streams));
  const waiting = (streams: number, requests: number): AnalysisEvent[] => {
    const ids = Array.from({ length: requests }, (_, index) => 2 * index + 1);
    const steps = ids.flatMap((id): Step[] => [
      [0, request(id, '/a')],
      [1, response(id, 200)],
    ]);
    return play(http2, [...OPENING, [1, allowed(streams)], ...steps]).filter(({ kind }) => kind === 'event');
  };
  expect(waiting(1, 41)).toMatchObject([{ code: 'HTTP2_STREAM_LIMIT', from: 1, failed: false }]);
  expect(waiting(1, 20)).toEqual([]);
  expect(waiting(2, 41)).toEqual([]);
});

test('a call with a deadline has it, and when the client cancelled it', () => {
  const call = (id: number, timeout: string) => request(id, '/a.B/Get', ...GRPC, 'grpc-timeout', timeout);
  const cancel = (id: number) => frame(TYPE.reset, 0, id, Buffer.of(0, 0, 0, 8));
  const events = play(http2, [
    ...OPENING,
    [0, call(1, '2m')],
    [1, Buffer.alloc(0)],
    [0, cancel(1)],
    [0, call(3, 'soon')],
    [0, cancel(3)],
  ]);
  const grpc = events.flatMap((event) => (event.kind === 'exchange' ? [event.fields.grpc] : []));
  expect(grpc).toMatchObject([
    { timeout: 2e6, resetAfter: 2e6 },
    { timeout: undefined, resetAfter: undefined },
  ]);
});

test('of a cancellation whose time cannot be compared with that of its call none is stated', () => {
  const call = request(1, '/a.B/Get', ...GRPC, 'grpc-timeout', '2m');
  const cancel = frame(TYPE.reset, 0, 1, Buffer.of(0, 0, 0, 8));
  const steps: Step[] = [...OPENING, [0, call], [0, cancel]];
  const [event] = play(http2, steps, { timeless: [steps.length - 1] });
  expect(event?.fields.grpc).toMatchObject({ timeout: 2e6, resetAfter: undefined });
});
