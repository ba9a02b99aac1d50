import { expect, test } from 'vitest';
import { type Framing, LengthFramer } from '../../../src/analyze/protocols/length-framer.ts';
import { Random } from '../../support/random.ts';

/** What the framer hands over of one message. */
interface Message {
  readonly offset: number;
  readonly length: number;
  readonly kept: string;
  readonly tail: string;
  readonly firstTime: number;
  readonly lastTime: number;
  readonly whole: boolean;
  readonly timed: boolean;
  readonly captured: number;
  readonly endSeen: boolean;
  readonly firstAcknowledged: number;
  readonly lastAcknowledged: number;
}

const BASE = 700;
/** `#`, the length of all, text; or `%`, a byte 0, the length of all, text: headers of two and three bytes. */
const messageOf = (text: string, isLong: boolean) =>
  isLong ? `%\0${String.fromCharCode(text.length + 3)}${text}` : `#${String.fromCharCode(text.length + 2)}${text}`;

function lengthOf(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (bytes[start] === 0x23) return bytes[start + 1];
  if (bytes[start] !== 0x25) return 0;
  return end - start < 3 ? undefined : bytes[start + 2];
}

function framer(options: Partial<Framing>) {
  const messages: Message[] = [];
  const calls: string[] = [];
  const made: LengthFramer = new LengthFramer({
    header: 2,
    headerMaximum: 3,
    keep: 12,
    lengthOf,
    onMessage: (bytes, start, end, length, firstTime, lastTime, whole, tail) => {
      const text = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1');
      const { offset, timed, captured, endSeen, firstAcknowledged, lastAcknowledged } = made;
      messages.push({
        offset,
        length,
        kept: text(start, end),
        tail: tail < 0 ? '' : text(tail, tail + (options.tail ?? 0)),
        firstTime,
        lastTime,
        whole,
        timed,
        captured,
        endSeen,
        firstAcknowledged,
        lastAcknowledged,
      });
    },
    onLost: () => void calls.push(`lost ${made.length} of ${made.seen}`),
    onSkipped: (offset) => void calls.push(`skipped ${offset}`),
    ...options,
  });
  return { made, messages, calls };
}

/** The stream in portions that end at these places; portion n comes at 10 n, acknowledges 100 + n; every fourth has no time of its own. */
class Stream {
  readonly text: string;
  readonly ends: readonly number[];

  constructor(text: string, ends: readonly number[]) {
    this.text = text;
    this.ends = [...ends, text.length];
  }

  portionOf(at: number): number {
    return this.ends.findIndex((end) => at < end);
  }

  /** Of the bytes of a message in these portions. @param missing from and to, of the stream */
  expected(from: number, length: number, keep: number, tail: number, missing: readonly [number, number]): Message {
    const [first, last] = [this.portionOf(from), this.portionOf(from + length - 1)];
    const isLong = length > keep + tail;
    const inside = Math.max(0, Math.min(missing[1], from + length) - Math.max(missing[0], from));
    const known = inside > 0 ? missing[0] - from : length;
    return {
      offset: BASE + from,
      length,
      kept: this.text.slice(from, from + Math.min(known, isLong ? keep : keep + tail)),
      tail: isLong && tail > 0 && inside === 0 ? this.text.slice(from + length - tail, from + length) : '',
      firstTime: 10 * first,
      lastTime: 10 * last,
      whole: inside === 0,
      timed: first % 4 !== 3 && last % 4 !== 3,
      captured: length - inside,
      endSeen: inside === 0 || missing[1] < from + length,
      firstAcknowledged: 100 + first,
      lastAcknowledged: 100 + last,
    };
  }

  feed(made: LengthFramer): void {
    const bytes = Buffer.from(`..${this.text}..`, 'latin1');
    let at = 0;
    for (const [portion, end] of this.ends.entries()) {
      if (end === at) continue;
      expect(made.data(bytes, at + 2, end + 2, 10 * portion, BASE + at, 100 + portion, portion % 4 !== 3)).toBe(
        end + 2,
      );
      at = end;
    }
  }
}

function cuts(random: Random, length: number): number[] {
  if (random.below(4) === 0) return Array.from({ length: length - 1 }, (_, index) => index + 1);
  return [...new Set(Array.from({ length: random.below(8) }, () => 1 + random.below(length - 1)))].sort(
    (a, b) => a - b,
  );
}

const texts = (random: Random, count: number) =>
  Array.from({ length: count }, () =>
    'abcdefghijklmnopqrstuvwxyz#%'.slice(random.below(20)).repeat(3).slice(0, random.below(28)),
  );

test.each([0, 5])(
  'messages of any length, cut anywhere: their bytes, places, times and acknowledgements (tail %i)',
  (tail) => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = new Random(seed);
      const messages = texts(random, 1 + random.below(5)).map((text) => messageOf(text, random.below(2) === 0));
      const stream = new Stream(messages.join(''), cuts(random, messages.join('').length));
      const { made, messages: read, calls } = framer({ tail });
      stream.feed(made);
      let at = 0;
      const expected = messages.map((message) => {
        at += message.length;
        return stream.expected(at - message.length, message.length, 12, tail, [0, 0]);
      });
      expect(read, `seed ${seed}`).toEqual(expected);
      expect([calls, made.pending, made.seen, made.length, made.lost]).toEqual([[], false, 0, 0, false]);
    }
  },
);

test('every hole in a message of which the length is known, where holes are taken', () => {
  const text = messageOf('abcdefghijklmnopqrstuvwxyz', false);
  const behind = messageOf('next', false);
  for (const tail of [0, 5]) {
    for (let from = 2; from < text.length; from += 1) {
      for (let to = from + 1; to <= text.length; to += 1) {
        const { made, messages, calls } = framer({ tail, holes: true });
        const bytes = Buffer.from(text + behind, 'latin1');
        made.data(bytes, 0, from, 10, BASE, 101, true);
        expect([made.pending, made.length, made.seen, made.firstTime]).toEqual([true, text.length, from, 10]);
        made.gap(to - from, 20);
        made.data(bytes, to, bytes.length, 30, BASE + to, 103, true);
        const isEnd = to === text.length;
        const stream = new Stream(text + behind, [from, to]);
        const [first, second] = messages;
        expect(first, `${from}-${to}`).toEqual({
          ...stream.expected(0, text.length, 12, tail, [from, to]),
          firstTime: 10,
          lastTime: isEnd ? 20 : 30,
          timed: true,
          firstAcknowledged: 101,
          lastAcknowledged: isEnd ? 101 : 103,
        });
        expect(second).toMatchObject({
          kept: behind,
          whole: true,
          endSeen: true,
          captured: behind.length,
          offset: BASE + text.length,
        });
        expect(calls).toEqual([]);
      }
    }
  }
});

test('a hole beyond the message, or in its header, is a loss; a message of which the end is missing is handed over where that is asked for', () => {
  const text = messageOf('abcdefghij', false);
  for (const cut of [false, true]) {
    for (let from = 1; from < text.length; from += 1) {
      const { made, messages, calls } = framer({ holes: true, cut });
      made.data(Buffer.from(text, 'latin1'), 0, from, 10, BASE, 101);
      made.gap(text.length - from + 1, 20);
      const isHanded = cut && from >= 2;
      expect(messages.map(({ kept, whole, captured, endSeen }) => [kept, whole, captured, endSeen])).toEqual(
        isHanded ? [[text.slice(0, from), false, from, false]] : [],
      );
      expect([calls.length, made.lost, made.pending]).toEqual([1, true, false]);
      made.gap(5, 30);
      expect(made.data(Buffer.from(text, 'latin1'), 0, 4, 40)).toBe(0);
      made.restart();
      made.data(Buffer.from(text, 'latin1'), 0, text.length, 50, BASE);
      expect(messages.at(-1)).toMatchObject({
        kept: text,
        whole: true,
        firstTime: 50,
        firstAcknowledged: -1,
        timed: true,
      });
    }
  }
});

test('the end of the stream hands over what has come of a message of which the length is known', () => {
  const text = messageOf('abcdefghij', false);
  for (let from = 0; from <= text.length; from += 1) {
    const { made, messages } = framer({});
    made.data(Buffer.from(text, 'latin1'), 0, from, 10, BASE);
    made.end();
    const isPart = from >= 2 && from < text.length;
    expect(messages.map(({ kept, whole, endSeen, captured }) => [kept, whole, endSeen, captured])).toEqual(
      from === text.length ? [[text, true, true, from]] : isPart ? [[text.slice(0, from), false, false, from]] : [],
    );
  }
});

test('behind other bytes the next message is found: what lies between is skipped, and times are stated only where they are known', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = new Random(seed);
    // What lies between has what may begin a message, and goes on differently.
    const junk = () =>
      ['', '', 'x', '##', 'xy#', 'zz#z%z', '%#%#%#', 'a longer text # between'][random.below(8)] as string;
    const parts = texts(random, 2 + random.below(4)).map((text) => {
      const inside = `>${text.replace(/[#%]/g, '-')}`;
      return { before: junk(), message: messageOf(inside, false) };
    });
    const first = messageOf('first', false);
    const text = first + parts.map(({ before, message }) => before + message).join('');
    const stream = new Stream(text, cuts(random, text.length));
    const misplaced: number[] = [];
    const begins = (bytes: Uint8Array, at: number, end: number, place?: number) => {
      if (place !== undefined && text.charCodeAt(place - BASE) !== bytes[at]) misplaced.push(place);
      return bytes[at] !== 0x23 ? false : end - at < 3 ? undefined : bytes[at + 2] === 0x3e;
    };
    const { made, messages, calls } = framer({
      headerMaximum: 2,
      // Strict where messages follow one another, too.
      header: 3,
      lengthOf: (bytes, start, end) =>
        begins(bytes, start, end) === false && !(bytes[start + 2] === 0x66)
          ? 0
          : bytes[start] === 0x23
            ? bytes[start + 1]
            : 0,
      seeking: { bytes: 3, least: random.below(2) === 0 ? 1 : 3, begins },
    });
    stream.feed(made);
    let at = first.length;
    const expected = [stream.expected(0, first.length, 12, 0, [0, 0])];
    const skipped: string[] = [];
    for (const { before, message } of parts) {
      if (before !== '') skipped.push(`skipped ${BASE + at}`);
      at += before.length + message.length;
      expected.push(stream.expected(at - message.length, message.length, 12, 0, [0, 0]));
    }
    const place = ({ offset, length, kept, whole, captured, endSeen }: Message) => ({
      offset,
      length,
      kept,
      whole,
      captured,
      endSeen,
    });
    expect(misplaced).toEqual([]);
    expect(messages.map(place), `seed ${seed}`).toEqual(expected.map(place));
    expect(
      calls.filter((call) => call.startsWith('skipped')),
      `seed ${seed}`,
    ).toEqual(skipped);
    for (const [index, message] of messages.entries()) {
      const { firstTime, lastTime, timed } = expected[index] as Message;
      expect(message.lastTime).toBe(lastTime);
      if (message.timed)
        expect([message.firstTime, timed], `seed ${seed}, message ${index}`).toEqual([firstTime, true]);
    }
  }
});

test('each loss is announced once, those after a new start too', () => {
  const { made, calls } = framer({});
  for (const place of [0, 40]) {
    expect(made.data(Buffer.from('xyz'), 0, 3, 10, BASE + place)).toBe(0);
    expect(made.data(Buffer.from('xyz'), 0, 3, 20, BASE + place + 3)).toBe(0);
    made.restart();
  }
  expect(calls.filter((call) => call.startsWith('skipped'))).toEqual([`skipped ${BASE}`, `skipped ${BASE + 40}`]);
});
