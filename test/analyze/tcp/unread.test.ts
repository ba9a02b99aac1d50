import { afterEach, expect, test, vi } from 'vitest';
import { BytePool } from '../../../src/analyze/tcp/byte-pool.ts';
import { TcpStream } from '../../../src/analyze/tcp/stream.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';

/** A body in which messages seem to begin. */
const LIES = 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\nGET /lie HTTP/1.1\r\n\r\n'.repeat(8);
const [CLIENT, SERVER] = [6, 10];

const ANSWERS = {
  'of known length': (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  chunked: (body: string) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  'to the end': (body: string) => `HTTP/1.1 200 OK\r\n\r\n${body}`,
  'behind a 100': (body: string) =>
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
};

function cut(side: 0 | 1, first: number, acknowledgment: number, text: string, at: number): BuiltSegment[] {
  const segments: BuiltSegment[] = [];
  for (let offset = 0; offset < text.length; offset += 90) {
    const payload = text.slice(offset, offset + 90);
    segments.push({ side, sequence: first + offset, acknowledgment, payload, at: at + offset / 1e4, flags: 'P.' });
  }
  return segments;
}

/** Two exchanges whose requests and responses have bodies, pipelined: segments lie across the ends of messages. */
function conversation(answer: (body: string) => string): BuiltSegment[] {
  const head = `POST /a HTTP/1.1\r\nContent-Length: ${LIES.length}\r\n\r\n`;
  const requests = head + LIES + head.replace('/a', '/b') + LIES;
  const responses = answer(LIES) + answer(LIES);
  const [asked, answered] = [CLIENT + requests.length, SERVER + responses.length];
  return [
    ...cut(0, CLIENT, SERVER, requests, 10),
    { side: 1, sequence: SERVER, acknowledgment: asked, at: 20 },
    ...cut(1, SERVER, asked, responses, 30),
    { side: 0, sequence: asked, acknowledgment: answered, at: 40 },
    { side: 1, sequence: answered, acknowledgment: asked, flags: 'F.', at: 95 },
  ];
}

const found = (segments: readonly BuiltSegment[], detail: boolean) =>
  analyseBytes(
    builtPcap([...handshake([CLIENT - 1, SERVER - 1]), ...segments.toSorted((a, b) => a.at - b.at)]),
    detail,
  ).events.map(({ event }) => event);

afterEach(() => vi.restoreAllMocks());

/** Of chunks the sizes are read, and behind a 204 there may be no body: these are kept. */
const COUNTED = ['of known length', 'to the end'];

test.each(Object.entries(ANSWERS))(
  'a body that is only counted, %s: as if its bytes were kept, whatever is missing',
  (kind, answer) => {
    const whole = conversation(answer);
    const unread = vi.spyOn(BytePool.prototype, 'unread');
    for (let missing = 0; missing < whole.length; missing += 1) {
      const lost = whole.filter((_, index) => index !== missing);
      // Or it comes late, or another one is missing as well.
      const late = [...lost, { ...(whole[missing] as BuiltSegment), at: (whole[missing]?.at ?? 0) + 0.4 }];
      const twice = lost.filter((_, index) => index !== missing + 3);
      for (const segments of [lost, late, twice]) {
        for (const detail of [true, false]) {
          const events = found(segments, detail);
          const kept = vi.spyOn(TcpStream.prototype, 'unread').mockReturnValue(0);
          expect(events, `without segment ${missing}`).toEqual(found(segments, detail));
          kept.mockRestore();
        }
      }
    }
    expect(unread.mock.calls.length > 0).toBe(COUNTED.includes(kind));
  },
);

test('a request that comes in place of a body that was announced is read, also where it had to wait', () => {
  const announced = 'POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 500\r\n\r\n';
  const refused = 'HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n';
  const [begun, rest] = ['GET /instead HTTP/1.1\r\n', 'Host: shop\r\n\r\n'];
  const [asked, answered] = [CLIENT + announced.length, SERVER + refused.length];
  const events = found(
    [
      { side: 0, sequence: CLIENT, acknowledgment: SERVER, payload: announced, at: 10 },
      { side: 0, sequence: asked + begun.length, acknowledgment: SERVER, payload: rest, at: 11 },
      { side: 1, sequence: SERVER, acknowledgment: asked, payload: refused, at: 11.2 },
      { side: 0, sequence: asked, acknowledgment: answered, payload: begun, at: 11.4 },
      {
        side: 1,
        sequence: answered,
        acknowledgment: asked + begun.length + rest.length,
        payload: refused.replace('417 No', '200 OK'),
        at: 12,
      },
    ],
    true,
  );
  expect(events.map((event) => [event.label, event.kind === 'exchange' && event.status])).toEqual([
    ['POST /a', '417'],
    ['GET /instead', '200'],
  ]);
  expect(events[1]).toMatchObject({ requestBytes: begun.length + rest.length, fields: { http: { host: 'shop' } } });
});

test('what a client sends behind the answer that changes the protocol is read, also where it stands in a body and had to wait', () => {
  const frame = (text: string) => `\x81${String.fromCharCode(0x80 | text.length)}\0\0\0\0${text}`;
  const frames = Array.from({ length: 12 }, (_, index) => frame(`message ${index}`.padEnd(20)));
  const head = `GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nContent-Length: 2000\r\n\r\n`;
  const changed = 'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n';
  const asked = CLIENT + head.length + 100;
  const sent = Buffer.from(frames.join(''), 'latin1');
  const segments: BuiltSegment[] = [
    { side: 0, sequence: CLIENT, acknowledgment: SERVER, payload: `${head}${'x'.repeat(100)}`, at: 10 },
    { side: 0, sequence: asked + 26, acknowledgment: SERVER, payload: sent.subarray(26), at: 11 },
    { side: 1, sequence: SERVER, acknowledgment: asked, payload: changed, at: 11.2 },
    { side: 0, sequence: asked, acknowledgment: SERVER, payload: sent.subarray(0, 26), at: 11.4 },
    { side: 0, sequence: asked + sent.length, acknowledgment: SERVER + changed.length, flags: 'F.', at: 20 },
  ];
  expect(found(segments, true).map(({ label }) => label)).toEqual([
    'GET /ws',
    ...frames.map((_, index) => expect.stringContaining(`message ${index}`)),
  ]);
});
