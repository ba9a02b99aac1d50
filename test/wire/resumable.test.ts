import { afterEach, describe, expect, test, vi } from 'vitest';
import { ACKNOWLEDGE_BYTES, ACKNOWLEDGE_MS } from '../../src/wire/limits.ts';
import { Resumable } from '../../src/wire/resumable.ts';
import { decodeFrame, encodeFrame, FRAME_KIND, parseSessionPath, sessionPath } from '../../src/wire/session-frame.ts';

function end(sending: readonly number[], receiving: readonly number[]) {
  const taken: string[] = [];
  const sent: Uint8Array[] = [];
  const resumable = new Resumable(sending, receiving, {
    take: (channel, bytes) => void taken.push(`${channel}:${Buffer.from(bytes)}`),
    acknowledged: () => {},
  });
  const link = { send: (frame: Uint8Array) => void sent.push(frame) };
  return { resumable, taken, sent, link };
}

const data = (offset: number, text: string) => encodeFrame(FRAME_KIND.data, 1, offset, Buffer.from(text));
const acknowledgement = (offset: number) => encodeFrame(FRAME_KIND.acknowledge, 1, offset);

test('what comes again is left out, whole or in part', () => {
  const { resumable, taken, link } = end([], [1]);
  resumable.attach(link);
  resumable.message(data(0, 'abcd'));
  resumable.message(data(0, 'ab'));
  resumable.message(data(2, 'cdef'));
  resumable.detach();
  expect(taken).toEqual(['1:abcd', '1:ef']);
});

test('a hole is an error, and so is an acknowledgement of what was never sent', () => {
  const receiver = end([], [1]);
  expect(() => receiver.resumable.message(data(1, 'b'))).toThrow('is at byte 1 where 0 is next');
  const sender = end([1], []);
  expect(() => sender.resumable.message(acknowledgement(1))).toThrow('of byte 1, of 0 sent');
  expect(() => sender.resumable.message(Uint8Array.of(1))).toThrow('has 1 bytes');
});

test('nothing is sent before the other side has said what it has, then all that it has not', () => {
  const { resumable, sent, link } = end([1], []);
  resumable.attach(link);
  resumable.write(1, Buffer.from('abcd'));
  resumable.write(1, Buffer.from('efgh'));
  expect(sent).toEqual([]);
  resumable.message(acknowledgement(6));
  expect(sent.map((frame) => [decodeFrame(frame).offset, Buffer.from(decodeFrame(frame).payload).toString()])).toEqual([
    [6, 'gh'],
  ]);
  expect(resumable.unacknowledged(1)).toBe(2);
});

test('on the first connection nothing is waited for, and what the other side says it has is not sent again', () => {
  const { resumable, sent, link } = end([1], []);
  resumable.write(1, Buffer.from('ab'));
  resumable.attach(link, true);
  resumable.write(1, Buffer.from('cd'));
  resumable.message(acknowledgement(0));
  expect(sent.map((frame) => Buffer.from(decodeFrame(frame).payload).toString())).toEqual(['ab', 'cd']);
});

test('offsets beyond 32 bits are kept', () => {
  expect(decodeFrame(encodeFrame(FRAME_KIND.data, 1, 2 ** 40 + 7)).offset).toBe(2 ** 40 + 7);
});

test('the path of a session is read as it is written, and any other is none', () => {
  const request = { id: 'a'.repeat(32), windowMs: 25_000, compress: 'auto' } as const;
  const address = { ...request, isNew: true, key: 'b'.repeat(64) } as const;
  const resumption = { ...request, isNew: false, attempt: 3, proof: 'c'.repeat(128) } as const;
  expect(parseSessionPath(sessionPath(address))).toEqual(address);
  expect(parseSessionPath(sessionPath(resumption))).toEqual(resumption);
  const bad = [
    '/',
    '/session/',
    `${sessionPath(address)}/x`,
    sessionPath({ ...address, id: 'g'.repeat(32) }),
    sessionPath({ ...address, key: 'b' }),
    sessionPath({ ...resumption, proof: 'c' }),
    sessionPath({ ...resumption, attempt: 2 ** 60 }),
  ];
  for (const path of bad) expect(parseSessionPath(path)).toBeUndefined();
});

test('a client of another version is understood', () => {
  const path = `/session/${'a'.repeat(32)}?resume`;
  const older = { id: 'a'.repeat(32), isNew: false, windowMs: 25_000, compress: 'off', attempt: 0 };
  expect(parseSessionPath(path)).toEqual(older);
  expect(parseSessionPath(`${path}&window=30000&colour=blue`)).toEqual({ ...older, windowMs: 30_000 });
});

test('a new link is told at once what was received, so that the other side can go on', () => {
  const { resumable, sent, link } = end([], [1]);
  resumable.attach(link);
  expect(sent.map((frame) => [decodeFrame(frame).kind, decodeFrame(frame).offset])).toEqual([
    [FRAME_KIND.acknowledge, 0],
  ]);
  resumable.message(data(0, 'abcd'));
  resumable.detach();
  sent.length = 0;
  resumable.attach(link);
  expect(sent.map((frame) => [decodeFrame(frame).kind, decodeFrame(frame).offset])).toEqual([
    [FRAME_KIND.acknowledge, 4],
  ]);
  resumable.detach();
});

describe('when what was received is acknowledged', () => {
  afterEach(() => void vi.useRealTimers());

  function receiver() {
    vi.useFakeTimers();
    const { resumable, sent, link } = end([], [1, 2]);
    const acknowledged = () =>
      sent.splice(0).map((frame) => {
        const { kind, channel, offset } = decodeFrame(frame);
        expect(kind).toBe(FRAME_KIND.acknowledge);
        return `${channel}:${offset}`;
      });
    resumable.attach(link);
    expect(acknowledged()).toEqual(['1:0', '2:0']);
    return { resumable, link, acknowledged };
  }

  test('after a time from the first byte on, once, and only of channels that brought something', () => {
    const { resumable, acknowledged } = receiver();
    resumable.message(data(0, 'abcd'));
    vi.advanceTimersByTime(ACKNOWLEDGE_MS - 1);
    resumable.message(data(4, 'ef'));
    expect(acknowledged()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(acknowledged()).toEqual(['1:6']);
    // What comes again is nothing new.
    resumable.message(data(0, 'abcd'));
    expect(vi.getTimerCount()).toBe(0);
    resumable.message(data(6, 'g'));
    vi.advanceTimersByTime(ACKNOWLEDGE_MS);
    expect(acknowledged()).toEqual(['1:7']);
  });

  test('at once when so many bytes of a channel have come since the last time', () => {
    const { resumable, acknowledged } = receiver();
    const most = 'x'.repeat(ACKNOWLEDGE_BYTES - 1);
    resumable.message(data(0, most));
    expect([acknowledged(), vi.getTimerCount()]).toEqual([[], 1]);
    resumable.message(data(ACKNOWLEDGE_BYTES - 1, 'y'));
    expect([acknowledged(), vi.getTimerCount()]).toEqual([[`1:${ACKNOWLEDGE_BYTES}`], 0]);
    resumable.message(data(ACKNOWLEDGE_BYTES, most));
    expect(acknowledged()).toEqual([]);
  });

  test('not while there is no connection: nothing waits for a time then', () => {
    const { resumable, link, acknowledged } = receiver();
    resumable.message(data(0, 'abcd'));
    resumable.detach();
    expect(vi.getTimerCount()).toBe(0);
    resumable.attach(link);
    expect(acknowledged()).toEqual(['1:4', '2:0']);
    resumable.message(data(4, 'e'));
    expect(vi.getTimerCount()).toBe(1);
    resumable.detach();
  });
});

test.each([
  [{ kind: 9, channel: 1 }, 'is of an unknown kind: 9'],
  [{ kind: FRAME_KIND.data, channel: 3 }, 'is of channel 3'],
  [{ kind: FRAME_KIND.acknowledge, channel: 3 }, 'is of channel 3'],
])('a message %j is refused', ({ kind, channel }, why) => {
  const { resumable } = end([2], [1]);
  expect(() => resumable.message(encodeFrame(kind as typeof FRAME_KIND.data, channel, 0, Buffer.from('a')))).toThrow(
    why,
  );
});
