// 100 Continue and 103 Early Hints come before the response: its first byte, and so what the server took and how long the response
// came, is that of the final one.
import { expect, test } from 'vitest';
import { http2 } from '../../../../src/analyze/protocols/http2/index.ts';
import { play, type Step } from '../play.ts';
import { END_HEADERS, END_STREAM, frame, literal, OPENING, request, response, TYPE } from './made-frames.ts';

const interim = (status: number) => frame(TYPE.headers, END_HEADERS, 1, literal(':status', String(status)));
const UPLOAD = frame(TYPE.headers, END_HEADERS, 1, literal(':method', 'POST', ':scheme', 'http', ':path', '/a'));

/** Times of the one exchange, ms: request's first and last byte, response's first and last. */
const times = (steps: readonly Step[]) =>
  play(http2, [...OPENING, ...steps]).map((event) =>
    event.kind === 'exchange'
      ? [event.time, event.requestEnd, event.responseTime, event.responseEnd].map((time) => (time ?? Number.NaN) / 1e6)
      : [],
  );

test('the response begins behind 100 Continue, which came before the body was sent', () => {
  const body = frame(TYPE.data, END_STREAM, 1, Buffer.from('body'));
  const final = response(1, 200);
  expect(
    times([
      [0, UPLOAD],
      [1, interim(100)],
      [0, body],
      [1, Buffer.concat([interim(103), final.subarray(0, 12)])],
      [1, final.subarray(12)],
    ]),
  ).toEqual([[2, 4, 5, 6]]);
});

test('frames of the final response that come later than those of the interim one give its time', () => {
  expect(
    times([
      [0, request(1, '/a')],
      [1, interim(103)],
      [1, response(1, 200, 'a').subarray(0, 16)],
      [1, response(1, 200, 'a').subarray(16)],
    ]),
  ).toEqual([[2, 2, 4, 5]]);
});
