import { describe, expect, test } from 'vitest';
import { type Framing, LengthFramer } from '../../../src/analyze/protocols/length-framer.ts';
import { Random } from '../../support/random.ts';

/** Messages `#`, length of it all, letters; what the framer says of them. */
function framer(options: Partial<Framing>) {
  const said: string[] = [];
  const made: LengthFramer = new LengthFramer({
    header: 2,
    keep: 64,
    lengthOf: (bytes, start) => (bytes[start] === 0x23 ? (bytes[start + 1] as number) : 0),
    onMessage: (bytes, start, end, length, _first, _last, whole, tail) => {
      const text = Buffer.from(bytes.subarray(start + 2, end)).toString('latin1');
      const acknowledged = `${made.firstAcknowledged}-${made.lastAcknowledged}`;
      said.push(
        `${made.offset}+${length} ${text}${whole ? '' : '…'}${tail < 0 ? '' : ` tail ${tail - start}`} ${acknowledged}`,
      );
    },
    onLost: () => void said.push(`lost${made.pending ? ' within' : ''}`),
    onSkipped: (offset) => void said.push(`skipped from ${offset}`),
    ...options,
  });
  return { made, said };
}

const message = (text: string) => `#${String.fromCharCode(text.length + 2)}${text}`;
const seeking = {
  bytes: 3,
  begins: (bytes: Uint8Array, at: number) => bytes[at] === 0x23 && (bytes[at + 2] as number) >= 0x61,
};

/** Hands over texts, each at the offset behind the one before; a number is a gap of so many bytes. */
function feed(made: LengthFramer, parts: readonly (string | number)[], portion = Number.POSITIVE_INFINITY): void {
  let offset = 1000;
  for (const [index, part] of parts.entries()) {
    if (typeof part === 'number') made.gap(part, index);
    else {
      const bytes = Buffer.from(part, 'latin1');
      for (let at = 0; at < bytes.length; at += portion) {
        const end = Math.min(bytes.length, at + portion);
        made.data(bytes, at, end, index, offset + at, index);
      }
    }
    offset += typeof part === 'number' ? part : part.length;
  }
}

describe('a length framer', () => {
  test.each([1, 2, 3, 100])(
    'tells where messages lie and what their packets acknowledge, in portions of %i',
    (portion) => {
      const { made, said } = framer({});
      feed(made, [message('ab') + message('c').slice(0, 1), message('c').slice(1) + message('')], portion);
      expect(said).toEqual(['1000+4 ab 0-0', '1004+3 c 0-1', '1007+2  1-1']);
    },
  );

  test('stops at a loss, says where, and starts anew', () => {
    const { made, said } = framer({});
    feed(made, [`${message('ab')}x${message('cd')}`]);
    expect(made.lost).toBe(true);
    expect(said.splice(0)).toEqual(['1000+4 ab 0-0', 'lost', 'skipped from 1004']);
    made.restart();
    feed(made, [message('ef'), 3, message('gh')]);
    expect(said).toEqual(['1000+4 ef 0-0', 'lost']);
  });

  test('tells what is under way, and forgets it where it starts anew, stops or seeks', () => {
    const { made, said } = framer({ seeking });
    const state = () => [made.pending, made.seen, made.length, made.firstTime, made.lost];
    expect(state()).toEqual([false, 0, 0, 0, false]);
    const part = Buffer.from(message('abcd').slice(0, 5));
    expect(made.data(part, 0, 1, 7)).toBe(1);
    expect(state()).toEqual([true, 1, 0, 7, false]);
    made.data(part, 1, 5, 8);
    expect(state()).toEqual([true, 5, 6, 7, false]);
    made.restart();
    expect(state()).toEqual([false, 0, 0, 7, false]);
    made.data(part, 0, 5, 9);
    made.seek();
    expect(state()).toEqual([false, 0, 0, 9, true]);
    // It was asked to seek: what is skipped is no surprise.
    made.data(Buffer.from(`zz${message('ef')}zz`), 0, 8, 10, 50);
    expect(said.splice(0)).toEqual(['52+4 ef -1--1', 'skipped from 56']);
    made.restart();
    made.data(Buffer.from('yy'), 0, 2, 11, 60);
    expect(said.splice(0)).toEqual(['skipped from 60']);
    made.restart();
    made.stop();
    expect([made.data(part, 0, 5, 12), made.lost]).toEqual([0, true]);
    made.gap(1, 13);
    made.end();
    expect(said).toEqual([]);
  });

  test('a message of which the header came is handed over at the end; of a shorter one nothing is', () => {
    for (const [length, expected] of [
      [1, []],
      [2, ['0+6 … -1--1']],
      [5, ['0+6 abc… -1--1']],
      [6, ['0+6 abcd -1--1']],
    ] as const) {
      const { made, said } = framer({});
      made.data(Buffer.from(message('abcd')), 0, length, 1);
      made.end();
      expect(said, `${length}`).toEqual(expected);
    }
  });

  test('a length of the header alone is a message, one byte less is none', () => {
    for (const portion of [1, 2, 9]) {
      const { made, said } = framer({});
      feed(made, ['#\x02#\x01'], portion);
      expect(said.map((each) => each.split(' ')[0])).toEqual(['1000+2', 'lost', 'skipped']);
    }
  });

  test('bytes missing behind what is kept are no loss; missing in it they are, unless holes are taken', () => {
    const behind = framer({ keep: 4 });
    feed(behind.made, [message('abcdefgh').slice(0, 6), 2, 'gh', message('i')]);
    expect(behind.said).toEqual(['1000+10 ab… 0-2', '1010+3 i 3-3']);
    const strict = framer({});
    feed(strict.made, [message('abcdefgh').slice(0, 6), 2, 'gh', message('i')]);
    expect(strict.said).toEqual(['lost within']);
    const holes = framer({ holes: true });
    feed(holes.made, [message('abcdefgh').slice(0, 6), 2, 'gh', message('i')]);
    expect(holes.said).toEqual(['1000+10 abcd… 0-2', '1010+3 i 3-3']);
  });

  test.each([1, 2, 100])('looks for the next beginning, and says once what it skips, in portions of %i', (portion) => {
    const { made, said } = framer({ seeking });
    feed(made, [`${message('ab')}xyz#`, `  ${message('cd')}`, 5, message('ef'), 9, `z${message('gh')}`], portion);
    expect(said).toEqual([
      '1000+4 ab 0-0',
      'skipped from 1004',
      '1010+4 cd 1-1',
      '1019+4 ef 3-3',
      'skipped from 1032',
      '1033+4 gh 5-5',
    ]);
  });

  test('the end of a long message is kept as well', () => {
    const { made, said } = framer({ keep: 4, tail: 2 });
    feed(made, [message('abcdefgh'), message('ijkl'), message('mnopqrst').slice(0, 5), message('mnopqrst').slice(5)]);
    expect(said).toEqual(['1000+10 ab tail 8 0-0', '1010+6 ijkl 1-1', '1016+10 mn tail 4 2-3']);
  });

  test('any bytes and gaps: nothing is thrown', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = new Random(seed);
      const parts = Array.from({ length: 30 }, () =>
        random.below(5) === 0
          ? random.below(20)
          : String.fromCharCode(...Array.from({ length: random.below(9) }, () => random.below(40) + 30)),
      );
      const { made } = framer(seed % 2 === 0 ? { seeking, holes: true, keep: 5, tail: seed % 3 } : {});
      expect(() => feed(made, parts, 1 + random.below(9))).not.toThrow();
    }
  });
});

test('a message whose end is missing with what follows is handed over before the loss, where that is asked for', () => {
  const said: string[] = [];
  const framer = new LengthFramer({
    header: 1,
    keep: 16,
    holes: true,
    cut: true,
    lengthOf: (bytes, start) => bytes[start] ?? 0,
    onMessage: (bytes, start, end, length, _first, _last, whole) =>
      said.push(`${Buffer.from(bytes.subarray(start, end)).toString('hex')} of ${length} ${whole}`),
    onLost: () => said.push('lost'),
  });
  framer.data(Uint8Array.of(2, 9, 5, 8, 7), 0, 5, 0);
  framer.gap(4, 1);
  expect(said).toEqual(['0209 of 2 true', '050807 of 5 false', 'lost']);
});

test('a beginning may be known by few bytes or by the place, or take more; the cutting changes nothing', () => {
  for (const portion of [1, 2, 3, 100]) {
    const found: string[] = [];
    const framer = new LengthFramer({
      header: 1,
      keep: 16,
      // `M` and two digits, the first of them the length; or anything at offset 40.
      seeking: {
        bytes: 3,
        least: 1,
        begins: (bytes, start, end, offset) => {
          if (offset === 40) return true;
          if (bytes[start] !== 0x4d) return false;
          for (let at = start + 1; at < start + 3; at += 1) {
            if (at >= end) return undefined;
            if ((bytes[at] as number) < 0x30 || (bytes[at] as number) > 0x39) return false;
          }
          return true;
        },
      },
      lengthOf: () => 3,
      onMessage: (bytes, start, end) => found.push(Buffer.from(bytes.subarray(start, end)).toString()),
      onLost: () => undefined,
    });
    framer.gap(20, 0);
    const bytes = Buffer.from('MMxM1xM12');
    const feed = (data: Buffer, offset: number) => {
      for (let at = 0; at < data.length; at += portion) {
        const part = data.subarray(at, at + portion);
        framer.data(part, 0, part.length, 0, offset + at);
      }
    };
    feed(bytes, 20);
    framer.gap(11, 0);
    framer.seek();
    feed(Buffer.from('abc'), 40);
    expect(found).toEqual(['M12', 'abc']);
  }
});
