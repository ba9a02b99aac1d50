import { test } from 'vitest';
import { frameAt, headersLikeness, type Streams } from '../../../../src/analyze/protocols/http2/frame-search.ts';
import { http2Likeness, PREFACE, prefaceAt } from '../../../../src/analyze/protocols/http2/preface.ts';
import { byNumber, byReader, expectLines, judged, madeMessages, withNumber } from '../../../support/by-byte.ts';
import { frame } from './made-frames.ts';

const ping = frame(6, 0, 0, Buffer.alloc(8, 7));
const settings = frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100, 0, 4, 0, 1, 0, 0]));
const headers = (flags: number, stream: number, ...block: number[]) => frame(1, flags, stream, Buffer.from(block));
const FRAMES = {
  ping,
  settings,
  'settings acknowledged': frame(4, 1, 0, Buffer.alloc(0)),
  data: frame(0, 1, 5, Buffer.alloc(20, 0x61)),
  'headers of a request': headers(4, 7, 0x82, 0x87, 0x84),
  'headers of a response': headers(5, 5, 0x88),
  'headers with a priority': headers(0x24, 7, 0, 0, 0, 0, 16, 0x82, 0x84),
  'padded headers': headers(0x0c, 7, 1, 0x82, 0x84, 0),
  'headers, then their data': Buffer.concat([headers(4, 9, 0x82, 0x84), frame(0, 1, 9, Buffer.alloc(3))]),
  'headers, then data of another': Buffer.concat([headers(4, 9, 0x82, 0x84), frame(0, 1, 11, Buffer.alloc(3))]),
  'go away': frame(7, 0, 0, Buffer.alloc(8)),
  window: frame(8, 0, 5, Buffer.from([0, 0, 0, 1])),
  'window of the connection': frame(8, 0, 0, Buffer.from([0, 0, 0, 1])),
  reset: frame(3, 0, 5, Buffer.from([0, 0, 0, 8])),
  priority: frame(2, 0, 5, Buffer.alloc(5)),
  unknown: frame(10, 0, 0, Buffer.alloc(4)),
} as const;

test('where frames begin in bytes that do not begin with one, and whose bytes a connection begins with', async () => {
  const streams: Streams = { has: (stream) => [3, 5].includes(stream), highest: 5 };
  const nobody: Streams = { has: () => false, highest: 0 };
  const found = (streamsSeen: Streams) => (bytes: Buffer, start: number, end: number) => {
    const at = frameAt(bytes, start, end, streamsSeen);
    return at < 0 ? 'none' : `frame ${at - start}`;
  };
  const frames = Object.entries(FRAMES);
  const behind = frames.map(
    ([name, bytes]) => [name, Buffer.concat([Buffer.of(0xff, 0xff), bytes, ping, ping])] as const,
  );
  const lines = [
    ...byReader(behind, { 'frame at': [found(streams), 9, 20], 'frame at, no stream known': [found(nobody), 30, 11] }),
    ...byReader(frames, { headers: [headersLikeness, 1, 16], likeness: [http2Likeness, 1, 16] }),
    ...byReader([...madeMessages('http2', 1), ['preface', Buffer.from(PREFACE)]], { likeness: [http2Likeness, 1, 24] }),
    ...byReader([['preface', Buffer.from(PREFACE)]], { preface: [(...at) => prefaceAt(...at, 0), 1, 24] }),
    ...byReader([['its end', Buffer.from(PREFACE.slice(10))]], { preface: [(...at) => prefaceAt(...at, 10), 1, 14] }),
  ];
  const alone = (bytes: Buffer) => judged(found(streams), bytes);
  const { data, reset, window } = FRAMES;
  const request = FRAMES['headers of a request'];
  lines.push(
    byNumber('length of data', (length) => alone(withNumber(data, 0, 3, length))),
    byNumber('length of headers', (length) => alone(withNumber(request, 0, 3, length))),
    byNumber('length of settings', (length) => alone(withNumber(settings, 0, 3, length))),
    byNumber('length of go away', (length) => alone(withNumber(FRAMES['go away'], 0, 3, length))),
    byNumber('stream of headers', (stream) => alone(withNumber(request, 5, 4, stream)), STREAMS),
    byNumber(
      'stream of headers, none known',
      (stream) => judged(found(nobody), withNumber(request, 5, 4, stream)),
      STREAMS,
    ),
    byNumber('error of a reset', (error) => alone(withNumber(reset, 9, 4, error))),
    byNumber('increment of a window', (increment) => alone(withNumber(window, 9, 4, increment))),
    byNumber('length of first settings', (length) =>
      judged(http2Likeness, withNumber(Buffer.concat([settings, Buffer.alloc(400, 1)]), 0, 3, length)),
    ),
  );
  await expectLines('http2', lines);
});

/** Around those that a client may have opened in what was not captured. */
const STREAMS = [0, 1, 2, 3, 7, 20_003, 20_004, 20_005, 20_006, 20_007, 20_009, 2 ** 31 - 1, 2 ** 31 + 1];
