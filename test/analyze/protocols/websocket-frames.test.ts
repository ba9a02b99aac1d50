import { expect, test } from 'vitest';
import { webSocket } from '../../../src/analyze/protocols/websocket.ts';
import type { AnalysisEvent } from '../../../src/analyze/record/event.ts';
import { Random } from '../../support/random.ts';
import { play, type Step } from './play.ts';

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

interface FrameOptions {
  readonly final?: boolean;
  readonly compressed?: boolean;
  readonly mask?: Buffer | undefined;
  /** How many bytes the length takes where not as few as can be. */
  readonly size?: 0 | 2 | 8;
}

/** A frame (RFC 6455, section 5.2). */
function frame(
  opcode: number,
  payload: Buffer,
  { final = true, compressed = false, mask, size }: FrameOptions = {},
): Buffer {
  const bytes = size ?? (payload.length < 126 ? 0 : payload.length < 2 ** 16 ? 2 : 8);
  const head = Buffer.alloc(2 + bytes);
  head[0] = (final ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode;
  head[1] = (mask ? 0x80 : 0) | (bytes === 0 ? payload.length : bytes === 2 ? 126 : 127);
  if (bytes === 2) head.writeUInt16BE(payload.length, 2);
  if (bytes === 8) head.writeBigUInt64BE(BigInt(payload.length), 2);
  const sent = mask ? Buffer.from(payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))) : payload;
  return Buffer.concat([head, mask ?? Buffer.alloc(0), sent]);
}
const MASK = Buffer.of(0x37, 0xfa, 0x21, 0x3d);
const closing = (code: number, reason = '') => Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason)]);
/** What is written of a message, or of a close. */
const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) => {
    const { opcode, compressed, text, code, reason } = (event.fields.websocket ?? {}) as Record<string, unknown>;
    if (event.kind === 'message') return [event.from, opcode, event.bytes, compressed ?? false, text ?? ''];
    return [event.kind === 'event' && event.code === 'WEBSOCKET_CLOSE' ? event.failed : event.label, code, reason];
  });
const read = (side: 0 | 1, bytes: Buffer, portion: (left: number) => number = (left) => left, detail = true) =>
  brief(play(webSocket, [[side, bytes]], { portion, detail }));

test('messages in any number of frames, with control frames between, of either side, cut anywhere, are those that were sent', () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const random = new Random(seed);
    const side = random.below(2) as 0 | 1;
    const mask = () =>
      side === 0 && random.below(5) > 0 ? Buffer.from([1, 2, 3, 4].map(() => random.below(256))) : undefined;
    const frames: Buffer[] = [];
    const expected: unknown[][] = [];
    const control = () => {
      if (random.below(3) > 0) return;
      const payload = Buffer.alloc(random.below(126), 0x70);
      frames.push(frame(random.below(2) === 0 ? OPCODE.ping : OPCODE.pong, payload, { mask: mask() }));
    };
    for (let count = 1 + random.below(6); count > 0; count -= 1) {
      const isText = random.below(2) === 0;
      const compressed = random.below(4) === 0;
      const whole = Buffer.alloc(
        [0, 1, 100, 125, 126, 127, 300, 65_535, 65_536][random.below(9)] ?? 0,
        0x61 + random.below(20),
      );
      let at = 0;
      for (let parts = random.below(4); parts >= 0; parts -= 1) {
        const end = parts === 0 ? whole.length : at + random.below(whole.length - at + 1);
        const first = expected.at(-1)?.[5] !== 'open';
        frames.push(
          frame(first ? (isText ? OPCODE.text : OPCODE.binary) : OPCODE.continuation, whole.subarray(at, end), {
            final: parts === 0,
            compressed: first && compressed,
            mask: mask(),
          }),
        );
        if (first)
          expected.push([
            side,
            isText ? 'text' : 'binary',
            whole.length,
            compressed,
            isText && !compressed ? whole.toString('utf8', 0, 256) : '',
            'open',
          ]);
        at = end;
        if (parts > 0) control();
      }
      expected.at(-1)?.pop();
      control();
    }
    const bytes = Buffer.concat(frames);
    expect(read(side, bytes)).toEqual(expected);
    expect(read(side, bytes, () => 1 + random.below(40))).toEqual(expected);
    const plain = expected.map(([from, kind, length, compressed]) => [from, kind, length, compressed, '']);
    expect(read(side, bytes, (left) => left, false)).toEqual(plain);
  }
});

test.each([1000, 1001, 1002, 1006, 2999, 3000, 4000])('a close with code %i', (code) => {
  const failed = code > 1001 && code < 3000;
  for (const side of [0, 1] as const) {
    const mask = side === 0 ? MASK : undefined;
    for (const portion of [1, 3, 200]) {
      const said = (payload: Buffer) => read(side, frame(OPCODE.close, payload, { mask }), () => portion);
      expect(said(closing(code, 'enough of it'))).toEqual([[failed, code, 'enough of it']]);
      expect(said(closing(code))).toEqual([[failed, code, undefined]]);
      expect(said(closing(code, 'r'.repeat(123)))).toEqual([[failed, code, 'r'.repeat(123)]]);
      expect(said(Buffer.alloc(0))).toEqual([[false, undefined, undefined]]);
      expect(said(Buffer.of(3))).toEqual([[false, undefined, undefined]]);
    }
  }
});

test('two bytes that begin no frame end the reading; all others begin one', () => {
  const isRead = (side: 0 | 1, first: number, second: number) => {
    const bytes = Buffer.concat([Buffer.of(first, second), Buffer.alloc(200)]);
    return !play(webSocket, [[side, bytes.subarray(0, 2)]]).some(({ label }) =>
      label.startsWith('WebSocket not understood'),
    );
  };
  for (let first = 0; first < 256; first += 1)
    for (const second of [0, 125, 126, 127, 128, 253, 254, 255])
      for (const side of [0, 1] as const) {
        const opcode = first & 15;
        const isControl = opcode >= 8;
        const isFrame =
          [0, 1, 2, 8, 9, 10].includes(opcode) &&
          (first & 0x30) === 0 &&
          !(second >= 128 && side === 1) &&
          (!isControl || (first >= 128 && (second & 127) <= 125));
        expect([first, second, side, isRead(side, first, second)]).toEqual([first, second, side, isFrame]);
      }
});

test('a length of more than 2^48 is none', () => {
  for (const [length, events] of [
    [2n ** 48n, 0],
    [2n ** 48n + 1n, 1],
    [2n ** 63n, 1],
  ] as const) {
    const head = Buffer.alloc(10);
    head.writeUInt16BE(0x827f, 0);
    head.writeBigUInt64BE(length, 2);
    expect(read(1, head)).toHaveLength(events);
  }
});

const text = (words: string, options: FrameOptions = {}) => frame(OPCODE.text, Buffer.from(words), options);
const hole = (gap: number): Step => [1, { gap }];

test('a hole in a message leaves its length and the text before; one across frames ends the reading until a segment begins with a frame', () => {
  const message = text('0123456789');
  const events = (...steps: Step[]) => brief(play(webSocket, steps));
  for (let at = 2; at < message.length; at += 1)
    for (let length = 1; at + length <= message.length; length += 1) {
      const rest: Step[] = at + length < message.length ? [[1, message.subarray(at + length)]] : [];
      const [found, ...others] = events([1, message.subarray(0, at)], hole(length), ...rest, [1, text('next')]);
      const kept = '0123456789'.slice(0, at - 2);
      expect(found).toEqual([1, 'text', 10, false, kept === '' ? '' : `${kept}…`]);
      expect(others).toEqual([[1, 'text', 4, false, 'next']]);
    }
  const lost = expect.stringContaining('bytes were not captured');
  const both = Buffer.concat([message, message]);
  const after = events([1, both.subarray(0, 5)], hole(10), [1, both.subarray(15)], [1, text('again')]);
  expect(after).toEqual([
    [lost, undefined, undefined],
    [1, 'text', 5, false, 'again'],
  ]);
  expect(events(hole(3), [1, text('again')])).toEqual([
    [lost, undefined, undefined],
    [1, 'text', 5, false, 'again'],
  ]);
});

test('behind a hole a segment is read from where a frame is likely, and what it holds is stated once another frame or its end confirms it', () => {
  const after = (side: 0 | 1, ...segments: Buffer[]) =>
    brief(play(webSocket, [[side, { gap: 3 }], ...segments.map((bytes) => [side, bytes] as const)])).slice(1);
  const one = [1, 'text', 3, false, 'one'];
  const two = [1, 'text', 3, false, 'two'];
  expect(after(1, text('one'))).toEqual([one]);
  expect(after(1, Buffer.concat([text('one'), text('two')]))).toEqual([one, two]);
  // A length that takes more bytes than it needs, or a frame's half, proves nothing.
  expect(after(1, text('one', { size: 2 }), text('two'))).toEqual([two]);
  expect(after(1, text('one', { size: 8 }), text('two'))).toEqual([two]);
  const long = 'x'.repeat(126);
  expect(after(1, text(long))).toEqual([[1, 'text', 126, false, long]]);
  const longest = Buffer.alloc(65_536, 0x79);
  expect(after(1, frame(OPCODE.binary, longest))).toEqual([[1, 'binary', 65_536, false, '']]);
  expect(after(1, text('one').subarray(0, 1), text('two'))).toEqual([two]);
  expect(after(1, Buffer.concat([text('one'), Buffer.of(0x83, 0)]), text('two'))).toEqual([two]);
  // Clients mask, and nothing is compressed, unless it was seen before.
  expect(after(0, text('one'), text('two', { mask: MASK }))).toEqual([[0, 'text', 3, false, 'two']]);
  expect(after(1, text('one', { compressed: true }), text('two'))).toEqual([two]);
  const seen = (side: 0 | 1, options: FrameOptions) =>
    brief(
      play(webSocket, [
        [side, text('one', options)],
        [side, { gap: 3 }],
        [side, text('two', options)],
      ]),
    ).map(([, , length]) => length);
  expect(seen(0, {})).toEqual([3, undefined, 3]);
  expect(seen(1, { compressed: true })).toEqual([3, undefined, 3]);
});
