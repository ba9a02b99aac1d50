import { describe, expect, test } from 'vitest';
import { countAt, RespReader, type RespValue } from '../../../../src/analyze/protocols/redis/resp-reader.ts';
import { Random } from '../../../support/random.ts';

/** RESP by its specification: a value as it is sent, and what is to be read of it. */
interface Sent {
  readonly wire: string;
  readonly type: string;
  /** Texts in it, from the front. */
  readonly texts: readonly string[];
  readonly items?: number;
  readonly nil?: boolean;
  /** Bytes up to its end where its beginning states them. */
  readonly declared?: number;
}

const line = (type: string, text: string): Sent => ({ wire: `${type}${text}\r\n`, type, texts: [text] });
function bulk(text: string, type = '$'): Sent {
  const wire = `${type}${text.length}\r\n${text}\r\n`;
  return { wire, type, texts: [text], declared: wire.length };
}
const aggregate = (type: string, items: readonly Sent[]): Sent => ({
  wire: `${type}${type === '%' ? items.length / 2 : items.length}\r\n${items.map(({ wire }) => wire).join('')}`,
  type,
  texts: items.flatMap(({ texts }) => texts),
  items: items.length,
});
/** An attribute belongs to the value behind it, and is none itself. */
const described = (attributes: readonly Sent[], value: Sent): Sent => {
  const front = `|${attributes.length / 2}\r\n${attributes.map(({ wire }) => wire).join('')}`;
  return {
    ...value,
    wire: front + value.wire,
    ...(value.declared === undefined ? {} : { declared: front.length + value.declared }),
  };
};
const NULLS: readonly Sent[] = [
  { wire: '$-1\r\n', type: '$', texts: [], nil: true },
  { wire: '*-1\r\n', type: '*', texts: [], nil: true },
  { wire: '_\r\n', type: '_', texts: [], nil: true },
];

function some<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)] as T;
}

function madeValue(random: Random, depth: number): Sent {
  const word = () => 'k\r\n*$+ab9'.repeat(3).slice(random.below(6), random.below(27));
  const several = (count: number) => Array.from({ length: count }, () => madeValue(random, depth + 1));
  switch (random.below(depth < 3 ? 8 : 4)) {
    case 0:
      return line(some(random, ['+', '-', ':', ',', '(', '#']), word().replace(/[\r\n]/g, ''));
    case 1:
      return some(random, NULLS);
    case 2:
    case 3:
      return bulk(word(), some(random, ['$', '!', '=']));
    case 4:
      return aggregate('%', several(2 * random.below(3)));
    case 5:
      return described(several(2 * random.below(3)), madeValue(random, depth + 1));
    default:
      return aggregate(some(random, ['*', '~', '>']), several(random.below(4)));
  }
}

function reader(texts = 1000, inline = false) {
  const values: RespValue[] = [];
  const made = new RespReader({
    texts,
    inline,
    onValue: (value) => values.push({ ...value, texts: [...value.texts] }),
  });
  return { made, values };
}

const BASE = 5000;
/** Portion `n` comes at time n, acknowledges 100 + n, and has a time of its own where n is not divisible by three. */
const carrierOf = (portion: number) => ({ now: portion, timeKnown: portion % 3 !== 0, acknowledged: 100 + portion });

/** Hands over the bytes in portions that end at these places. @returns where reading stopped */
function feed(made: RespReader, wire: string, ends: readonly number[]): number {
  const bytes = Buffer.from(`--${wire}--`, 'latin1');
  let at = 0;
  for (const [portion, end] of [...ends, wire.length].entries()) {
    if (made.lost) break;
    at = made.data(bytes, at + 2, end + 2, BASE + at, carrierOf(portion)) - 2;
  }
  return at;
}

function readingOf(sent: Sent, start: number, ends: readonly number[]): RespValue {
  const portionOf = (at: number) => ends.filter((end) => end <= at).length;
  const [first, last] = [carrierOf(portionOf(start)), carrierOf(portionOf(start + sent.wire.length - 1))];
  return {
    type: sent.type.charCodeAt(0),
    texts: [...sent.texts],
    items: sent.items ?? 0,
    nil: sent.nil ?? false,
    bytes: sent.wire.length,
    declared: sent.declared ?? -1,
    start: BASE + start,
    firstTime: first.now,
    lastTime: last.now,
    timed: first.timeKnown && last.timeKnown,
    acknowledged: first.acknowledged,
    gap: false,
  };
}

test('values of every type, within each other, cut anywhere: what was sent is read', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new Random(seed);
    const sent = Array.from({ length: 1 + random.below(4) }, () => madeValue(random, 0));
    // A master sends empty lines between values.
    const blanks = sent.map(() => (random.below(4) === 0 ? '\r\n' : ''));
    const wire = sent.map((value, index) => `${blanks[index]}${value.wire}`).join('');
    const ends = Array.from({ length: random.below(6) }, () => random.below(wire.length)).sort((a, b) => a - b);
    const { made, values } = reader();
    expect(feed(made, wire, ends)).toBe(wire.length);
    let start = 0;
    const expected = sent.map((value, index) => {
      start += blanks[index]?.length ?? 0;
      start += value.wire.length;
      return readingOf(value, start - value.wire.length, ends);
    });
    expect(values, `seed ${seed}`).toEqual(expected);
    expect([made.begun, made.lost]).toEqual([false, false]);
  }
});

test('every cut of a command with an attribute before it, one byte at a time too', () => {
  const sent = described([line('+', 'ttl'), line(':', '3')], aggregate('*', [bulk('SET'), bulk(''), bulk('v\r\n')]));
  const all = Array.from({ length: sent.wire.length - 1 }, (_, index) => index + 1);
  for (const ends of [[], all, ...all.map((end) => [end])]) {
    const { made, values } = reader();
    for (const [index, end] of [...ends, sent.wire.length].entries()) {
      const from = ends[index - 1] ?? 0;
      made.data(Buffer.from(sent.wire.slice(from, end)), 0, end - from, BASE + from, carrierOf(index));
      expect(made.begun).toBe(end < sent.wire.length);
      // What has come so far.
      const isLine = !sent.wire.slice(0, end).includes('\n');
      if (isLine)
        expect(made.value).toMatchObject({ type: 0, items: 0, texts: [], bytes: end, firstTime: 0, lastTime: 0 });
    }
    expect(values).toEqual([readingOf(sent, 0, ends)]);
  }
});

describe('bounds', () => {
  const textsOf = (wire: string, texts = 1000, inline = false) => {
    const { made, values } = reader(texts, inline);
    feed(made, wire, []);
    return made.lost ? 'lost' : values.map((value) => value.texts);
  };

  test('of a text the first 512 bytes of its line are kept; of a value texts until there are 2048 characters, or so many as are asked for', () => {
    expect(textsOf(`+${'a'.repeat(510)}\r\n+${'b'.repeat(511)}\r\n-${'c'.repeat(512)}\r\n`)).toEqual([
      ['a'.repeat(510)],
      ['b'.repeat(511)],
      ['c'.repeat(511)],
    ]);
    expect(textsOf(bulk('d'.repeat(512)).wire + bulk('e'.repeat(513)).wire)).toEqual([
      ['d'.repeat(512)],
      ['e'.repeat(512)],
    ]);
    const long = Array.from({ length: 6 }, () => bulk('f'.repeat(512)));
    expect(textsOf(aggregate('*', long).wire)).toEqual([Array(4).fill('f'.repeat(512))]);
    const shorter = Array.from({ length: 6 }, () => bulk('f'.repeat(511)));
    expect(textsOf(aggregate('*', shorter).wire)).toEqual([Array(5).fill('f'.repeat(511))]);
    expect(textsOf(aggregate('*', [bulk('GET'), line('+', 'a'), bulk('b')]).wire, 2)).toEqual([['GET', 'a']]);
    // The room is there again for the next value.
    expect(textsOf(aggregate('*', long).wire + bulk('g').wire)).toEqual([Array(4).fill('f'.repeat(512)), ['g']]);
    expect(textsOf(bulk('g').wire + bulk('h').wire, 1)).toEqual([['g'], ['h']]);
  });

  test('lines of 65,536 bytes, 16 values within each other, bulk strings of 4 GiB, counts of 12 digits: not more', () => {
    expect(textsOf(`+${'a'.repeat(65_534)}\r\n`)).toHaveLength(1);
    expect(textsOf(`+${'a'.repeat(65_535)}\r\n`)).toBe('lost');
    // Each line counts for itself.
    expect(textsOf(`*2\r\n+${'a'.repeat(65_000)}\r\n+${'a'.repeat(65_000)}\r\n`)).toHaveLength(1);
    for (const front of ['*1\r\n', '|1\r\n+k\r\n']) {
      expect(textsOf(`${front.repeat(16)}+a\r\n${front === '*1\r\n' ? '' : ':1\r\n'.repeat(16)}`)).not.toBe('lost');
      expect(textsOf(`${front.repeat(17)}+a\r\n`)).toBe('lost');
    }
    const { made } = reader();
    feed(made, `$${2 ** 32}\r\nabc`, []);
    expect([made.lost, made.value.declared]).toEqual([false, 2 ** 32 + 15]);
    expect(textsOf(`$${2 ** 32 + 1}\r\nabc`)).toBe('lost');
    // Of an attribute or a map twice as many come.
    for (const [type, most] of [
      ['*', 2 ** 32 - 1],
      ['|', 2 ** 31 - 1],
      ['%', 2 ** 31 - 1],
    ] as const) {
      expect(textsOf(`${type}${most}\r\n`)).toEqual([]);
      expect(textsOf(`${type}${most + 1}\r\n`)).toBe('lost');
    }
    expect(textsOf('$0000000000001\r\n')).toBe('lost');
    expect(textsOf('$000000000001\r\na\r\n')).toEqual([['a']]);
    expect(textsOf('|000000000000\r\n+b\r\n')).toEqual([['b']]);
  });

  test.each([
    '$-2\r\n',
    '$\r\n',
    '$1a\r\n',
    '*-2\r\n',
    '*:\r\n',
    '%/\r\n',
    '|-1\r\n',
    '|x\r\n',
    '*1\r\n\r\n',
    'PING\r\n',
    '$1\r\nabc',
    '*1\r\nPING\r\n',
  ])('%j is no RESP', (wire) => {
    expect(textsOf(wire)).toBe('lost');
  });

  test('commands without RESP, where they are taken; within an array they are none', () => {
    expect(textsOf('SET  k v\r\n  PING \n', 2, true)).toEqual([['SET', 'k'], ['PING']]);
    const { made, values } = reader(9, true);
    feed(made, 'set k v\n', []);
    expect(values).toMatchObject([{ type: 0, items: 3, bytes: 8 }]);
    expect(textsOf('*1\r\nPING\r\n', 9, true)).toBe('lost');
  });
});

test('reading stops where the bytes are no RESP, and begins again where it is told to', () => {
  const { made, values } = reader();
  const wire = '*2\r\n$3\r\nGET\r\nno\r\n+later\r\n';
  expect(feed(made, wire, [])).toBe(wire.indexOf('+later'));
  expect([made.lost, made.begun, values.length]).toEqual([true, false, 0]);
  expect(made.gap(1)).toBe(false);
  made.restart();
  feed(made, '+a\r\n', []);
  expect(values).toMatchObject([{ type: 0x2b, texts: ['a'], bytes: 4 }]);
  feed(made, '+'.padEnd(60_000, 'a'), []);
  made.restart();
  feed(made, `+${'b'.repeat(60_000)}\r\n`, []);
  expect(values).toHaveLength(2);
  // Whatever it was in before.
  for (const under of ['$9\r\nabc', '*3\r\n', '|1\r\n+a\r\n', '+abc', `$EOF:${'f'.repeat(40)}\r\nab`, '$5\r\nab']) {
    const again = reader();
    if (under !== '$9\r\nabc') again.made.expectSnapshot();
    feed(again.made, under, []);
    again.made.lose();
    again.made.restart();
    feed(again.made, '$1\r\nb\r\n', []);
    expect(again.values, under).toMatchObject([{ texts: ['b'], bytes: 7, items: 0, declared: 7 }]);
  }
});

describe('bytes that were not captured', () => {
  test('within a bulk string they cost its text alone, as long as the CR and LF behind it are left', () => {
    const front = '*3\r\n$3\r\nSET\r\n$6\r\n';
    const wire = `${front}abcdef\r\n$1\r\nv\r\n`;
    for (let from = 0; from < wire.length; from += 1) {
      for (let length = 1; from + length <= wire.length; length += 1) {
        const { made, values } = reader();
        made.data(Buffer.from(wire), 0, from, BASE, carrierOf(1));
        const isKnown = from >= front.length && from + length <= front.length + 6;
        // Those of the other bulk strings.
        const inCommand = from >= 8 && from + length <= 11;
        const inValue = from >= wire.length - 3 && from + length <= wire.length - 2;
        expect(made.gap(length), `${from}+${length}`).toBe(isKnown || inCommand || inValue);
        if (!isKnown) continue;
        made.data(Buffer.from(wire), from + length, wire.length, BASE + from + length, carrierOf(2));
        expect(values).toMatchObject([{ texts: ['SET', 'v'], gap: true, bytes: wire.length, items: 3, lastTime: 2 }]);
      }
    }
  });
});

describe('snapshots between values', () => {
  const MARK = 'abab0123456789abcdef0123456789abcdef0123';
  test.each([
    ['of a stated length, without CR and LF behind it', '$7\r\nREDIS\r\n', 11],
    ['of one byte', '$1\r\nR', 5],
    ['that are empty', '$0\r\n', -1],
    ['that end with a mark', `$EOF:${MARK}\r\nREDIS ab ${MARK.slice(0, 39)}-${MARK}`, -1],
    ['whose last bytes begin the mark', `$EOF:${MARK}\r\na${MARK}`, -1],
    ['whose last bytes begin the mark, more of it', `$EOF:${MARK}\r\nREDISababab${MARK}`, -1],
    ['whose mark is one letter', `$EOF:${'f'.repeat(40)}\r\nREDISff-${'f'.repeat(40)}`, -1],
  ])('%s', (_what, wire, declared) => {
    expect(MARK).toHaveLength(40);
    for (const ends of [[], [3], [wire.length - 1], Array.from({ length: wire.length }, (_, index) => index)]) {
      const { made, values } = reader();
      made.expectSnapshot();
      feed(made, `\n${wire}+OK\r\n$2\r\nab\r\n`, ends);
      expect(values).toMatchObject([
        { type: 0x24, bytes: wire.length, declared, start: BASE + 1, texts: [] },
        { texts: ['OK'], start: BASE + 1 + wire.length },
        { texts: ['ab'] },
      ]);
    }
  });

  test('an attribute may come before one', () => {
    const { made, values } = reader();
    made.expectSnapshot();
    feed(made, '|1\r\n+ttl\r\n:3\r\n$5\r\nREDIS+OK\r\n', []);
    expect(values).toMatchObject([{ bytes: 23, declared: 23 }, { texts: ['OK'] }]);
  });

  test('one is expected until another value comes; its length has up to 16 digits; bytes of it may be missing but for the last', () => {
    const { made, values } = reader();
    made.expectSnapshot();
    feed(made, '+CONTINUE\r\n$2\r\nab\r\n', []);
    expect(values.map(({ texts }) => texts)).toEqual([['CONTINUE'], ['ab']]);
    made.expectSnapshot();
    feed(made, `$0${2 ** 53 - 1}\r\nREDIS`, []);
    expect(made.lost).toBe(true);
    made.restart();
    made.expectSnapshot();
    feed(made, `$${2 ** 53 - 1}\r\nREDIS`, []);
    expect([made.lost, made.value.declared]).toEqual([false, 2 ** 53 - 1 + 19]);
    made.restart();
    made.expectSnapshot();
    feed(made, `$${2 ** 53}\r\nREDIS`, []);
    expect(made.lost).toBe(true);
    made.restart();
    made.expectSnapshot();
    feed(made, `$EOF:${MARK}0\r\nREDIS`, []);
    expect(made.lost).toBe(true);
    for (const missing of [1, 6, 7]) {
      const cut = reader();
      cut.made.expectSnapshot();
      feed(cut.made, '$9\r\nab', []);
      expect(cut.made.gap(missing)).toBe(missing < 7);
      if (missing === 7) continue;
      feed(cut.made, `${'x'.repeat(7 - missing)}+OK\r\n`, []);
      expect(cut.values).toMatchObject([
        { bytes: 13, gap: true },
        { texts: ['OK'], gap: false },
      ]);
    }
  });
});

test.each([
  ['-1', -1],
  ['-2', Number.NaN],
  ['-', Number.NaN],
  ['', Number.NaN],
  ['0', 0],
  ['10', 10],
  ['907', 907],
  ['9/', Number.NaN],
  ['9:', Number.NaN],
  ['+1', Number.NaN],
  ['999999999999', 999_999_999_999],
  ['1000000000000', Number.NaN],
])('a count %j is %d', (text, count) => {
  expect(countAt(Buffer.from(`9${text}9`), 1, 1 + text.length)).toBe(count);
});
