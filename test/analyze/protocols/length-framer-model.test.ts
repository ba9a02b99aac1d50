import { describe, expect, test } from 'vitest';
import { LengthFramer } from '../../../src/analyze/protocols/length-framer.ts';
import { Random } from '../../support/random.ts';

/**
 * Streams of messages: a zero, length of it all in one byte or two (7 bits each), letters, that arrive in packets of which some are
 * missing; and what is to be known of each message, byte by byte.
 */
const BASE = 1000;
/** No byte of a length, and no letter. */
const MARK = 0;

interface Options {
  readonly keep: number;
  readonly tail: number;
  readonly holes: boolean;
  readonly cut: boolean;
  readonly seeks: boolean;
}

/** A part of the stream that comes, or is missing, as one. */
interface Portion {
  readonly start: number;
  readonly end: number;
  readonly isMissing: boolean;
  readonly timeKnown: boolean;
}

/** What is told of a message. Portion `n` has time n and acknowledges 500 + n. */
interface Told {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
  readonly tail: string | undefined;
  readonly firstTime: number;
  readonly lastTime: number;
  readonly firstAcknowledged: number;
  readonly lastAcknowledged: number;
  readonly timed: boolean;
  readonly endSeen: boolean;
  readonly captured: number;
  readonly whole: boolean;
}

function madeStream(random: Random, count: number): { bytes: Buffer; starts: number[] } {
  const starts: number[] = [];
  const parts: Buffer[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const length =
      random.below(6) === 0
        ? 128 + random.below(random.below(4) === 0 ? 700 : 60)
        : 2 + random.below(random.below(3) === 0 ? 3 : 40);
    const header = length < 128 ? [MARK, length] : [MARK, 0x80 | (length & 0x7f), length >> 7];
    const letters = Array.from({ length: length - header.length }, () => 0x61 + random.below(26));
    parts.push(Buffer.from([...header, ...letters]));
    starts.push(at);
    at += length;
  }
  return { bytes: Buffer.concat(parts), starts };
}

function madePortions(random: Random, length: number, missing: number): Portion[] {
  const portions: Portion[] = [];
  for (let start = 0; start < length; ) {
    const end = Math.min(length, start + 1 + random.below(random.below(3) === 0 ? 80 : 8));
    const isMissing = random.below(100) < missing;
    portions.push({ start, end, isMissing, timeKnown: random.below(4) > 0 });
    start = end;
  }
  return portions;
}

function lengthOf(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (bytes[start] !== MARK) return 0;
  const low = bytes[start + 1] as number;
  if (low < 0x80) return low;
  return start + 2 < end ? (low & 0x7f) + ((bytes[start + 2] as number) << 7) : undefined;
}

function read(bytes: Buffer, portions: readonly Portion[], options: Options): (Told | 'lost')[] {
  const told: (Told | 'lost')[] = [];
  const { keep, tail, holes, cut, seeks } = options;
  const framer: LengthFramer = new LengthFramer({
    header: 2,
    headerMaximum: 3,
    keep,
    tail,
    holes,
    cut,
    ...(seeks ? { seeking: { bytes: 3, begins: (all: Uint8Array, at: number) => all[at] === MARK } } : {}),
    lengthOf,
    onMessage: (all, start, end, length, firstTime, lastTime, whole, tailAt) => {
      const { offset, firstAcknowledged, lastAcknowledged, timed, endSeen, captured } = framer;
      told.push({
        offset,
        length,
        text: Buffer.from(all.subarray(start, end)).toString('latin1'),
        tail: tailAt < 0 ? undefined : Buffer.from(all.subarray(tailAt, tailAt + tail)).toString('latin1'),
        firstTime,
        lastTime,
        firstAcknowledged,
        lastAcknowledged,
        timed,
        endSeen,
        captured,
        whole,
      });
    },
    onLost: () => told.push('lost'),
  });
  for (const [index, { start, end, isMissing, timeKnown }] of portions.entries()) {
    if (isMissing) framer.gap(end - start, index);
    else {
      // Something else lies around it.
      const around = Buffer.concat([Buffer.of(MARK), bytes.subarray(start, end), Buffer.of(MARK, 9)]);
      framer.data(around, 1, 1 + end - start, index, BASE + start, 500 + index, timeKnown);
    }
  }
  framer.end();
  return told;
}

/** The same by looking at each byte of the whole stream. */
class Model {
  readonly told: (Told | 'lost')[] = [];
  /** Offsets of messages of which it may be unknown when they began. */
  readonly uncertain = new Set<number>();
  readonly #bytes: Buffer;
  readonly #portions: readonly Portion[];
  readonly #options: Options;
  /** By byte, the portion that it comes or is missing with. */
  readonly #at: readonly number[];

  constructor(bytes: Buffer, starts: readonly number[], portions: readonly Portion[], options: Options) {
    this.#bytes = bytes;
    this.#portions = portions;
    this.#options = options;
    this.#at = portions.flatMap(({ start, end }, index) => Array<number>(end - start).fill(index));
    /** The next message that can be followed begins here or later; it must be found first where sync was lost. */
    const from = 0;
    let isLost = false;
    for (const [index, start] of starts.entries()) {
      if (start < from || start >= this.#at.length) continue;
      if (isLost && !this.#isThere(start, 3)) continue;
      const end = this.#message(start, starts[index + 1] ?? bytes.length, isLost);
      isLost = end === undefined;
      if (isLost && !options.seeks) return;
    }
  }

  #isThere(start: number, length: number): boolean {
    return this.#missing(start, start + length) === undefined && start + length <= this.#at.length;
  }

  /** The first byte that is missing. */
  #missing(start: number, end: number): number | undefined {
    for (let at = start; at < Math.min(end, this.#at.length); at += 1) if (this.#portion(at).isMissing) return at;
    return undefined;
  }

  #portion(at: number): Portion {
    return this.#portions[this.#at[at] as number] as Portion;
  }

  /** @returns its end; undefined where sync is lost in it */
  #message(start: number, end: number, isFound: boolean): number | undefined {
    const { keep, holes, cut, seeks } = this.#options;
    const length = end - start;
    const header = length < 128 ? 2 : 3;
    let missing = 0;
    let gap = this.#missing(start, end);
    const kept = gap ?? end;
    while (gap !== undefined) {
      const isMeasured = gap >= start + header;
      const { end: over } = this.#portion(gap);
      const isBridged = isMeasured && (holes || kept - start >= keep);
      if (!isBridged || over > end) {
        const isCut = isBridged && cut;
        if (isCut) this.#tell(start, end, { kept, until: gap, missing, by: this.#at[gap], isFound });
        if (!seeks || (isMeasured && !isCut)) this.told.push('lost');
        return undefined;
      }
      missing += over - gap;
      const next = this.#missing(over, end);
      if (over === end) {
        this.#tell(start, end, { kept, until: end, missing, by: this.#at[gap], isFound });
        return end;
      }
      gap = next;
    }
    // The capture ends within it.
    if (end > this.#at.length) {
      const until = this.#at.length;
      if (until - start >= header)
        this.#tell(start, end, { kept: Math.min(kept, until), until, missing, by: -1, isFound });
      return end;
    }
    this.#tell(start, end, { kept, until: end, missing, by: undefined, isFound });
    return end;
  }

  /** @param by the gap that ended it, -1 for the end of the capture; undefined where its own last byte did */
  #tell(
    start: number,
    end: number,
    {
      kept,
      until,
      missing,
      by,
      isFound,
    }: { kept: number; until: number; missing: number; by: number | undefined; isFound: boolean },
  ): void {
    const { keep, tail } = this.#options;
    const length = end - start;
    const isLong = length > keep + tail;
    const endSeen = by === undefined;
    const whole = endSeen && missing === 0;
    const first = this.#at[start] as number;
    const last = endSeen ? (this.#at[end - 1] as number) : first;
    // Of the bytes held while a beginning is looked for only the last two packets are known.
    if (isFound && this.#at[start + 2] !== first) this.uncertain.add(BASE + start);
    const text = this.#bytes.toString('latin1', start, Math.min(kept, start + (isLong ? keep : length)));
    this.told.push({
      offset: BASE + start,
      length,
      text,
      tail: isLong && whole && tail > 0 ? this.#bytes.toString('latin1', end - tail, end) : undefined,
      firstTime: first,
      lastTime: by === undefined ? last : by < 0 ? first : by,
      firstAcknowledged: 500 + first,
      lastAcknowledged: 500 + last,
      timed: this.#portion(start).timeKnown && (!endSeen || this.#portion(end - 1).timeKnown),
      endSeen,
      captured: until - start - missing,
      whole,
    });
  }
}

/** Without what has no meaning: times of messages that are not timed, and what packets acknowledge that are not known. */
function stated(told: readonly (Told | 'lost')[], known: readonly (Told | 'lost')[], { uncertain }: Model) {
  return told.map((each, index) => {
    const other = known[index];
    if (each === 'lost' || other === undefined || other === 'lost') return each;
    const isUnknown = uncertain.has(other.offset) && other.firstAcknowledged === -1;
    const times = each.timed && !isUnknown ? {} : { firstTime: undefined, lastTime: undefined };
    const unknown = { timed: false, firstAcknowledged: -1, lastAcknowledged: undefined };
    return { ...each, ...times, ...(isUnknown ? unknown : {}) };
  });
}

describe('what a length framer tells is what its bytes show', () => {
  test.each([
    ['whole streams', 0, {}],
    ['whole streams of which all is kept', 0, { keep: 900 }],
    ['messages with holes of which all is kept, with ends', 4, { holes: true, keep: 300, tail: 300 }],
    ['bytes missing stop it', 10, {}],
    ['bytes missing behind what is kept', 25, { keep: 4 }],
    ['with the ends of long messages', 10, { keep: 6, tail: 5 }],
    ['messages with holes', 25, { holes: true }],
    ['messages with holes and ends', 25, { holes: true, keep: 9, tail: 7 }],
    ['messages that lack their ends', 25, { holes: true, cut: true }],
    ['messages that lack their ends behind what is kept', 25, { cut: true, keep: 5, seeks: true }],
    ['finding the next beginning', 15, { seeks: true }],
    ['finding the next beginning behind messages with holes', 30, { seeks: true, holes: true, cut: true, tail: 3 }],
  ] as const)('%s', (_what, missing, options) => {
    const all: Options = { keep: 64, tail: 0, holes: false, cut: false, seeks: false, ...options };
    let messages = 0;
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = new Random(seed);
      const { bytes, starts } = madeStream(random, 2 + random.below(12));
      const portions = madePortions(random, bytes.length - random.below(20), missing);
      const model = new Model(bytes, starts, portions, all);
      const told = read(bytes, portions, all);
      expect(stated(told, told, model), `seed ${seed}`).toEqual(stated(model.told, told, model));
      messages += told.length;
    }
    expect(messages).toBeGreaterThan(500);
  });
});

test('what is no message is skipped from its first byte on, told once, and costs no message', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new Random(seed);
    const { bytes, starts } = madeStream(random, 2 + random.below(12));
    const parts: Buffer[] = [];
    const expected: string[] = [];
    let at = BASE;
    const add = (part: Buffer) => {
      parts.push(part);
      at += part.length;
    };
    for (const [index, start] of starts.entries()) {
      if (random.below(3) === 0) {
        expected.push(`skipped from ${at}`);
        add(Buffer.from('junk*!'.slice(random.below(6))));
      }
      const message = bytes.subarray(start, starts[index + 1]);
      expected.push(`${at} ${message.toString('latin1')}`);
      add(message);
    }
    // A beginning is known by three bytes.
    add(Buffer.from([MARK, 3, 0x61]));
    const stream = Buffer.concat(parts);
    const portions = madePortions(random, stream.length, 0);
    const portionOf = (offset: number) => portions.findLastIndex(({ start }) => start <= offset - BASE);
    const told: string[] = [];
    const times: string[] = [];
    const framer: LengthFramer = new LengthFramer({
      header: 2,
      headerMaximum: 3,
      keep: 1000,
      seeking: { bytes: 3, begins: (all, from) => all[from] === MARK },
      lengthOf,
      onMessage: (all, start, end, length, firstTime, lastTime) => {
        const { offset, timed, firstAcknowledged } = framer;
        told.push(`${offset} ${Buffer.from(all.subarray(start, end)).toString('latin1')}`);
        const [first, last] = [portionOf(offset), portionOf(offset + length - 1)];
        if (timed && (firstTime !== first || lastTime !== last)) times.push(`${offset}: ${firstTime}-${lastTime}`);
        if (firstAcknowledged >= 0 && firstAcknowledged !== 500 + first) times.push(`${offset} acknowledges`);
      },
      onLost: () => told.push('lost'),
      onSkipped: (offset) => told.push(`skipped from ${offset}`),
    });
    for (const [index, { start, end }] of portions.entries()) {
      framer.data(stream, start, end, index, BASE + start, 500 + index);
    }
    expect(told.slice(0, expected.length), `seed ${seed}`).toEqual(expected);
    expect(times, `seed ${seed}`).toEqual([]);
  }
});
