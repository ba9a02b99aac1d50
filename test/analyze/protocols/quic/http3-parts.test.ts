import { describe, expect, test } from 'vitest';
import { UNKNOWN } from '../../../../src/analyze/protocols/http2/hpack.ts';
import { Http2Stream } from '../../../../src/analyze/protocols/http2/stream.ts';
import { eachFrame, type StreamFrame } from '../../../../src/analyze/protocols/quic/frames.ts';
import { QpackDecoder } from '../../../../src/analyze/protocols/quic/http3/qpack.ts';
import { RequestHalf } from '../../../../src/analyze/protocols/quic/http3/request-half.ts';
import { Ranges } from '../../../../src/analyze/protocols/quic/ranges.ts';
import { ReceivedStream } from '../../../../src/analyze/protocols/quic/received-stream.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';
import { Random } from '../../../support/random.ts';

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');

describe('QPACK (RFC 9204, appendix B)', () => {
  const decoded = (qpack: QpackDecoder, section: string, force = false) => {
    const fields: string[] = [];
    const result = qpack.section(hex(section), (name, value) => fields.push(`${name}=${value}`), force);
    return result === 'decoded' ? fields : result;
  };
  /** The encoder stream's instructions, one step of the appendix after the other. */
  const STEPS = [
    '3fbd01 c00f7777772e6578616d706c652e636f6d c10c2f73616d706c652f70617468',
    '4a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    '02',
    '810d637573746f6d2d76616c756532',
  ];
  const feed = (qpack: QpackDecoder, step: number) => {
    const bytes = hex(STEPS[step] as string);
    qpack.instructions(bytes, 0, bytes.length);
  };
  const begun = () => {
    const qpack = new QpackDecoder(() => true);
    qpack.allow(220);
    return qpack;
  };

  test('literals, insertions, duplicates and eviction', () => {
    const qpack = begun();
    expect(decoded(qpack, '0000510b2f696e6465782e68746d6c')).toEqual([':path=/index.html']);
    expect(decoded(qpack, '03811011')).toBe('blocked');
    feed(qpack, 0);
    expect(decoded(qpack, '03811011')).toEqual([':authority=www.example.com', ':path=/sample/path']);
    feed(qpack, 1);
    feed(qpack, 2);
    expect(decoded(qpack, '0500 80 c1 81')).toEqual([
      ':authority=www.example.com',
      ':path=/',
      'custom-key=custom-value',
    ]);
    feed(qpack, 3);
    // The first entry had to go.
    expect(decoded(qpack, '0600 80 83')).toEqual(['custom-key=custom-value2', ':path=/sample/path']);
  });

  test('blocked sections are to be tried when the entries that one of them waits for have come', () => {
    const qpack = begun();
    expect(decoded(qpack, '05 00 80')).toBe('blocked');
    expect(decoded(qpack, '03811011')).toBe('blocked');
    expect(qpack.takeUnblocked()).toBe(false);
    feed(qpack, 0);
    expect([qpack.takeUnblocked(), qpack.takeUnblocked()]).toEqual([true, false]);
    expect(decoded(qpack, '05 00 80')).toBe('blocked');
    feed(qpack, 1);
    expect(qpack.takeUnblocked()).toBe(false);
    feed(qpack, 2);
    expect(qpack.takeUnblocked()).toBe(true);
    expect(decoded(qpack, '05 00 80')).toEqual([':authority=www.example.com']);
    expect(decoded(qpack, '0600 80')).toBe('blocked');
    qpack.forget();
    expect(qpack.takeUnblocked()).toBe(true);
  });

  test('instructions cut anywhere', () => {
    const bytes = hex(STEPS.join(''));
    for (let size = 1; size < 20; size += 1) {
      const qpack = begun();
      for (let at = 0; at < bytes.length; at += size) qpack.instructions(bytes, at, Math.min(bytes.length, at + size));
      expect(decoded(qpack, '0600 80')).toEqual(['custom-key=custom-value2']);
    }
  });

  test('what is not known is never invented', () => {
    // The settings were not seen: which entries are meant is not known.
    const unset = new QpackDecoder(() => true);
    feed(unset, 0);
    expect(decoded(unset, '03811011')).toEqual([`${UNKNOWN}=${UNKNOWN}`, `${UNKNOWN}=${UNKNOWN}`]);
    const lost = begun();
    feed(lost, 0);
    lost.forget();
    feed(lost, 1);
    expect(decoded(lost, '03811011')).toEqual([`${UNKNOWN}=${UNKNOWN}`, `${UNKNOWN}=${UNKNOWN}`]);
    expect(decoded(begun(), '03811011', true)).toEqual([`${UNKNOWN}=${UNKNOWN}`, `${UNKNOWN}=${UNKNOWN}`]);
    // An index of nothing, a text that does not end, a table larger than allowed.
    expect(decoded(begun(), '0000ff80')).toBe('invalid');
    expect(decoded(begun(), '0000510b2f69')).toBe('invalid');
    const large = begun();
    large.instructions(hex('3fffff03'), 0, 4);
    expect(large.lost).toBe(true);
  });

  test('what the table holds is reserved, and released; where there is no room it is not known', () => {
    let reserved = 0;
    const within = (most: number) => (bytes: number) => {
      if (bytes > 0 && reserved + bytes > most) return false;
      reserved += bytes;
      return true;
    };
    const qpack = new QpackDecoder(within(1000));
    qpack.allow(220);
    feed(qpack, 0);
    // Two entries, as the appendix counts them, and the beginning of an instruction.
    expect(reserved).toBe(106);
    qpack.instructions(hex('4a63'), 0, 2);
    expect(reserved).toBe(108);
    qpack.forget();
    expect(reserved).toBe(0);
    const full = new QpackDecoder(within(60));
    full.allow(220);
    feed(full, 0);
    expect([full.lost, reserved]).toEqual([true, 0]);
    expect(decoded(full, '03811011')).toEqual([`${UNKNOWN}=${UNKNOWN}`, `${UNKNOWN}=${UNKNOWN}`]);
  });

  test('any bytes', () => {
    const random = new Random(3);
    const qpack = begun();
    for (let run = 0; run < 20_000; run += 1) {
      const bytes = Uint8Array.from({ length: random.below(40) }, () => random.below(256));
      qpack.section(bytes, () => undefined, run % 2 === 0);
      const other = begun();
      other.instructions(bytes, 0, bytes.length);
    }
  });
});

test('bytes behind a field section that waits are bounded with what each piece of them takes, and are released', () => {
  let reserved = 0;
  let most = 0;
  const reserve = (bytes: number) => {
    reserved += bytes;
    most = Math.max(most, reserved);
    return true;
  };
  const qpack = new QpackDecoder(() => true);
  qpack.allow(220);
  const request = new Http2Stream(true, false, '3');
  const half = new RequestHalf(
    { detail: true, bodies: undefined, qpack, reserve, onEnded: () => undefined },
    SIDE.client,
    request,
  );
  const head = hex('01 04 03811011 00 7fff');
  const arrival = { now: 0, clock: 0 };
  half.onBytes(head, 0, head.length, arrival);
  expect(half.blockedSince).toBe(0);
  let pieces = 0;
  for (; half.blockedSince !== undefined && pieces < 10_000; pieces += 1) half.onBytes(head, 0, 1, arrival);
  // At 64 kB it is read without waiting any longer.
  expect(pieces).toBeGreaterThan(300);
  expect(pieces).toBeLessThan(600);
  expect(most).toBeLessThanOrEqual(64 * 1024);
  half.stop();
  expect(reserved).toBe(0);
});

test('a set of numbers, whatever their order', () => {
  const random = new Random(5);
  for (let run = 0; run < 200; run += 1) {
    const ranges = new Ranges();
    const truth = new Set<number>();
    for (let count = 0; count < 60; count += 1) {
      const number = random.below(80);
      expect(ranges.add(number)).toBe(!truth.has(number));
      truth.add(number);
    }
    const greatest = Math.max(...truth);
    for (let number = 0; number < 80; number += 1) {
      expect(ranges.has(number)).toBe(truth.has(number));
      const isWhole = Array.from({ length: Math.max(0, greatest - number + 1) }, (_, at) => number + at).every((at) =>
        truth.has(at),
      );
      expect([number, ranges.isWholeFrom(number)]).toEqual([number, isWhole]);
    }
  }
});

test('far more runs than are remembered: the lowest are joined', () => {
  const ranges = new Ranges();
  for (let number = 0; number < 4000; number += 2) ranges.add(number);
  expect(ranges.has(1)).toBe(true);
  expect(ranges.has(3997)).toBe(false);
  expect(ranges.add(3998)).toBe(false);
});

describe("a stream's frames, put in order", () => {
  const content = Uint8Array.from({ length: 5000 }, (_, at) => (at * 31) & 0xff);

  /** @returns what was handed over, missing bytes as holes, and the bytes that are still reserved */
  function received(frames: readonly (readonly [start: number, end: number])[], room = 1 << 20) {
    const out: (number | string)[] = [];
    let reserved = 0;
    let at = 0;
    const stream = new ReceivedStream(
      {
        onBytes: (bytes, start, end) => {
          expect(Buffer.compare(bytes.subarray(start, end), content.subarray(at, at + end - start))).toBe(0);
          at += end - start;
        },
        onHole: (length) => {
          out.push(`hole of ${length} at ${at}`);
          at += length;
        },
        onFin: () => out.push(`end at ${at}`),
      },
      (bytes) => {
        if (bytes > 0 && reserved + bytes > room) return false;
        reserved += bytes;
        return true;
      },
    );
    for (const [index, [start, end]] of frames.entries()) {
      stream.add(start, content, start, end, { now: index, clock: 0 });
      if (end === content.length) stream.ends(end, index);
    }
    stream.skipHole(frames.length);
    return { out, at, reserved, stream };
  }

  test('in any order, cut and repeated anyhow', () => {
    const random = new Random(7);
    for (let run = 0; run < 300; run += 1) {
      const frames: [number, number][] = [];
      for (let at = 0; at < content.length; ) {
        const end = Math.min(content.length, at + 1 + random.below(700));
        frames.push([at, end]);
        if (random.below(4) === 0) frames.push([Math.max(0, at - random.below(300)), end]);
        at = end;
      }
      for (let at = frames.length - 1; at > 0; at -= 1) {
        const other = random.below(at + 1);
        [frames[at], frames[other]] = [frames[other] as [number, number], frames[at] as [number, number]];
      }
      const { out, at, reserved } = received(frames);
      expect([out, at, reserved]).toEqual([['end at 5000'], 5000, 0]);
    }
  });

  test('holes are given up when there is no room, or on demand; nothing stays reserved', () => {
    expect(
      received([
        [0, 10],
        [20, 30],
        [4990, 5000],
      ]).out,
    ).toEqual(['hole of 10 at 10']);
    const full = received(
      [
        [0, 10],
        [20, 30],
        [40, 5000],
      ],
      1000,
    );
    expect(full.out).toEqual(['hole of 10 at 10', 'hole of 10 at 30', 'end at 5000']);
    expect(full.reserved).toBe(0);
    const stopped = received([[100, 200]]);
    stopped.stream.stop();
    expect(stopped.stream.finished).toBe(true);
  });
});

describe('frames', () => {
  function read(text: string) {
    const seen: unknown[] = [];
    const isWhole = eachFrame(hex(text), {
      onCrypto: (offset, _bytes, start, end) => seen.push(['crypto', offset, end - start]),
      onClose: (error, reason, isApplication) => seen.push(['close', error, reason, isApplication]),
      onAck: (largest) => seen.push(['ack', largest]),
      onStream: ({ stream, offset, start, end, fin }: StreamFrame) =>
        seen.push(['stream', stream, offset, end - start, fin]),
      onReset: (stream, error, size) => seen.push(['reset', stream, error, size]),
      onStop: (stream, error) => seen.push(['stop', stream, error]),
      onNewId: (id) => seen.push(['id', Buffer.from(id).toString('hex')]),
    });
    return [isWhole, ...seen];
  }

  test('all kinds, one behind the other', () => {
    const reset = `04 04 410c 05`;
    const stop = `05 08 410c`;
    const id = `18 01 00 04 a1a2a3a4 ${'00'.repeat(16)}`;
    const skipped = `01 1e 07 02 abcd 10 05 11 04 05 12 01 13 01 14 01 15 04 01 16 01 17 01 19 00 1a ${'11'.repeat(8)} 1b ${'11'.repeat(8)}`;
    expect(
      read(
        `00 02 09 00 01 02 01 01 03 08 00 00 00 01 02 03 ${reset} ${stop} 06 05 02 aabb ${id} ${skipped} 0e 04 05 02 aabb 0b 08 01 cc 1c 02 06 01 78 1d 4100 00 09 0c dd`,
      ),
    ).toEqual([
      true,
      ['ack', 9],
      ['ack', 8],
      ['reset', 4, 0x10c, 5],
      ['stop', 8, 0x10c],
      ['crypto', 5, 2],
      ['id', 'a1a2a3a4'],
      ['stream', 4, 5, 2, false],
      ['stream', 8, 0, 1, true],
      ['close', 2, 'x', false],
      ['close', 0x100, '', true],
      ['stream', 12, 0, 1, true],
    ]);
  });

  test('what is not known, or not whole, ends the packet', () => {
    for (const text of ['4fff', '06 05 05 aa', '18 01 00 15', '02 09 00 3f 02', '0e 04', '1a 11', '04 04', 'c0']) {
      expect([text, read(text)[0]]).toEqual([text, false]);
    }
  });
});
