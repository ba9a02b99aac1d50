import { describe, expect, it } from 'vitest';
import { amqp } from '../../../src/analyze/protocols/amqp/index.ts';
import { http2 } from '../../../src/analyze/protocols/http2/index.ts';
import { kafka } from '../../../src/analyze/protocols/kafka/index.ts';
import { mongodb } from '../../../src/analyze/protocols/mongodb/index.ts';
import type { StreamProtocol } from '../../../src/analyze/protocols/protocol.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { END_HEADERS, END_STREAM, frame, literal, OPENING, request, response, TYPE } from './http2/made-frames.ts';
import { type PlayOptions, play, type Step } from './play.ts';

const BUDGET = 64 * 1024;
const REQUESTS = 300;
/** A request counts for a KiB, and its texts. */
const LARGEST = 16 * 1024;

const i32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const i32le = (value: number) => Buffer.from(i32(value)).reverse();
const i16 = (value: number) => Buffer.of(value >> 8, value & 0xff);
const sized = (body: Buffer) => Buffer.concat([i32(body.length), body]);
const short = (text: string) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
const method = (channel: number, type: number, id: number, body: Buffer) =>
  Buffer.concat([Buffer.of(1), i16(channel), i32(4 + body.length), i16(type), i16(id), body, Buffer.of(0xce)]);
const mongo = (id: number, to: number, name: string) => {
  const member = Buffer.concat([Buffer.from(`\x02${name}\0`), i32le(4), Buffer.from('abc\0')]);
  const database = Buffer.concat([Buffer.from('\x02$db\0'), i32le(5), Buffer.from('shop\0')]);
  const document = Buffer.concat([i32le(5 + member.length + database.length), member, database, Buffer.of(0)]);
  const body = Buffer.concat([i32le(id), i32le(to), i32le(2013), i32le(0), Buffer.of(0), document]);
  return Buffer.concat([i32le(body.length + 4), body]);
};

interface Talk {
  readonly protocol: StreamProtocol;
  readonly opening: readonly Step[];
  /** The n-th request and its answer, from 0. */
  request(n: number): Uint8Array;
  answer(n: number): Uint8Array;
}

const TEXT = 'x'.repeat(100);
const TALKS: Readonly<Record<string, Talk>> = {
  'HTTP/2': {
    protocol: http2,
    opening: OPENING,
    request: (n) => request(2 * n + 1, `/${n}`, ...Array.from({ length: 20 }, (_, at) => [`x-${at}`, TEXT]).flat()),
    answer: (n) => response(2 * n + 1, 200),
  },
  gRPC: {
    protocol: http2,
    opening: OPENING,
    request: (n) =>
      frame(
        TYPE.headers,
        END_HEADERS,
        2 * n + 1,
        literal(':method', 'POST', ':path', '/shop.Cart/Watch', 'content-type', 'application/grpc', 'x-a', TEXT),
      ),
    answer: (n) => {
      const head = literal(':status', '200', 'content-type', 'application/grpc', 'grpc-status', '0');
      return frame(TYPE.headers, END_HEADERS | END_STREAM, 2 * n + 1, head);
    },
  },
  Kafka: {
    protocol: kafka,
    opening: [],
    request: (n) => sized(Buffer.concat([i16(12), i16(0), i32(n), i16(3), Buffer.from('abc'), Buffer.alloc(40)])),
    answer: (n) => sized(Buffer.concat([i32(n), i16(0)])),
  },
  AMQP: {
    protocol: amqp,
    opening: [[0, 'AMQP\0\0\x09\x01']],
    // queue.purge and its answer, which servers may send on one channel after the other.
    request: (n) => method(n + 1, 50, 30, Buffer.concat([i16(0), short(TEXT), Buffer.of(0)])),
    answer: (n) => method(n + 1, 50, 31, i32(1)),
  },
  MongoDB: {
    protocol: mongodb,
    opening: [],
    request: (n) => mongo(n + 1, 0, 'find'),
    answer: (n) => mongo(10_000 + n, n + 1, 'ok'),
  },
};

/** A conversation with a budget of BUDGET: what was counted at most, what is left, how exchanges ended. */
function played({ protocol, opening }: Talk, steps: readonly Step[], end?: PlayOptions['end']) {
  let counted = 0;
  let most = 0;
  const events = play(protocol, [...opening, ...steps], {
    ...(end === undefined ? {} : { end }),
    countPending: (bytes) => {
      counted += bytes;
      most = Math.max(most, counted);
      return counted <= BUDGET;
    },
  });
  const exchanges = events.filter((event): event is Exchange => event.kind === 'exchange');
  return { most, left: counted, ends: exchanges.map(({ incomplete }) => incomplete ?? 'answered') };
}

describe.each(Object.entries(TALKS))('requests of %s that wait', (_, talk) => {
  const all = Array.from({ length: REQUESTS }, (_, n) => n);
  const asked = all.map((n): Step => [0, talk.request(n)]);
  const answered = all.map((n): Step => [1, talk.answer(n)]);

  it('for ever take no more than what all may: the oldest are given up', () => {
    const { most, left, ends } = played(talk, asked, 'capture ended');
    expect(most).toBeLessThanOrEqual(BUDGET + LARGEST);
    expect(most).toBeGreaterThan(BUDGET / 2);
    expect(ends).toHaveLength(REQUESTS);
    const given = ends.filter((end) => end === 'unknown').length;
    expect(given).toBeGreaterThan(REQUESTS / 2);
    expect(ends.slice(0, given).every((end) => end === 'unknown')).toBe(true);
    expect(left).toBe(0);
  });

  it('and are answered take nothing any more', () => {
    const few = 10;
    const steps = [...asked.slice(0, few), ...answered.slice(0, few), ...asked.slice(few, 2 * few)];
    const { most, left, ends } = played(talk, [...steps, ...answered.slice(few, 2 * few)]);
    expect(ends).toEqual(Array.from({ length: 2 * few }, () => 'answered'));
    expect(most).toBeGreaterThanOrEqual((few - 1) * 1024);
    expect(left).toBe(0);
  });

  it('behind none take nothing', () => {
    const { most, ends } = played(
      talk,
      asked.slice(0, 50).flatMap((step, n) => [step, answered[n] as Step]),
    );
    expect(most).toBe(0);
    expect(new Set(ends)).toEqual(new Set(['answered']));
  });
});

it('consumers of AMQP are remembered within the same budget', () => {
  const consume = (n: number) =>
    method(1 + (n % 2000), 60, 20, Buffer.concat([i16(0), short('q'), short(`c${n}`), Buffer.of(0), i32(0)]));
  const ok = (n: number) => method(1 + (n % 2000), 60, 21, short(`c${n}`));
  const talk = TALKS.AMQP as Talk;
  const steps = Array.from({ length: 1000 }, (_, n): Step[] => [
    [0, consume(n)],
    [1, ok(n)],
  ]).flat();
  const { most, ends } = played(talk, steps);
  expect(ends).toHaveLength(1000);
  expect(most).toBeLessThanOrEqual(BUDGET + 1024);
  expect(most).toBeGreaterThan(BUDGET - 1024);
});

it('a consumer of AMQP counts once, also where its queue is not named, and until its channel is closed', () => {
  const consume = (queue: string) => [
    method(1, 60, 20, Buffer.concat([i16(0), short(queue), short('c'), Buffer.of(0), i32(0)])),
    method(1, 60, 21, short('c')),
  ];
  const close = [
    method(1, 20, 40, Buffer.concat([i16(200), short(''), i16(0), i16(0)])),
    method(1, 20, 41, Buffer.alloc(0)),
  ];
  const talk = TALKS.AMQP as Talk;
  const steps = (queue: string) =>
    [consume(queue), consume(queue)].flatMap(([asked, answered]): Step[] => [
      [0, asked as Buffer],
      [1, answered as Buffer],
    ]);
  for (const queue of ['q', '']) {
    expect(played(talk, steps(queue)).left, queue).toBe(512);
    expect(played(talk, [...steps(queue), [0, close[0] as Buffer], [1, close[1] as Buffer]]).left, queue).toBe(0);
  }
});
