import { describe, expect, test } from 'vitest';
import { AT, AT_CHUNKED, AT_UNTIL_END } from '../../../../src/analyze/protocols/http1/framing.ts';
import { MessageReader, type MessageSink } from '../../../../src/analyze/protocols/http1/message.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';
import { Random } from '../../../support/random.ts';

type Side = typeof SIDE.client | typeof SIDE.server;

/** What is known of a message at its end. */
interface Ended {
  readonly about: string;
  readonly body: string;
  readonly start: number;
  readonly headEnd: number;
  readonly bytes: number;
  readonly firstTime: number;
  readonly lastTime: number;
  readonly acknowledged: number;
  readonly gap: boolean;
  readonly endSeen: boolean;
  readonly timeKnown: boolean;
}

const BASE = 9000;

/** A reader of one side whose calls are written down. */
function reading(side: Side) {
  const ended: Ended[] = [];
  const calls: string[] = [];
  let about = '';
  let body = '';
  let timeKnown = true;
  const sink: MessageSink = {
    detail: true,
    late: false,
    showSecrets: true,
    get timeKnown() {
      return timeKnown;
    },
    onHead: (reader, head) => {
      about = head.isRequest ? head.target : String(head.status);
      body = '';
      calls.push(`head ${about}`);
      if (head.isRequest !== (side === SIDE.client)) return -1;
      reader.body = {
        take: (bytes, start, end) => {
          body += Buffer.from(bytes.subarray(start, end)).toString('latin1');
        },
        cut: () => {
          body += '~';
        },
      };
      if (head.chunked) return AT_CHUNKED;
      if (head.contentLength >= 0) return head.contentLength;
      return side === SIDE.client ? 0 : AT_UNTIL_END;
    },
    onEnd: (reader) => {
      const { start, headEnd, bytes, firstTime, lastTime, acknowledged, gap, endSeen } = reader;
      ended.push({
        about,
        body,
        start,
        headEnd,
        bytes,
        firstTime,
        lastTime,
        acknowledged,
        gap,
        endSeen,
        timeKnown: reader.timeKnown,
      });
      return !about.endsWith('last');
    },
    onBare: () => false,
    onLost: (reader, why) => void calls.push(`lost at ${reader.lostAt - BASE}${why === '' ? '' : `: ${why}`}`),
    onHole: (_reader, offset, length) => void calls.push(`hole ${offset - BASE}+${length}`),
  };
  const reader = MessageReader.at(side, sink, BASE);
  /** Portion n comes at time n and acknowledges 50 + n; every fifth has no time of its own. */
  const data = (text: string, from: number, to: number, portion: number) => {
    timeKnown = portion % 5 !== 4;
    const bytes = Buffer.from(`..${text}..`, 'latin1');
    return reader.data(bytes, from + 2, to + 2, portion, BASE + from, 50 + portion) - 2;
  };
  return { reader, ended, calls, data, body: () => body };
}

interface Sent {
  readonly about: string;
  readonly head: string;
  readonly body: string;
  readonly rest: string;
}

function made(random: Random, side: Side, index: number): Sent {
  const about = side === SIDE.client ? `/m${index}` : String(200 + index);
  const line = side === SIDE.client ? `POST ${about} HTTP/1.1` : `HTTP/1.1 ${about} OK`;
  const body = 'GET / body\r\n\r\nHTTP/1.1 '.slice(random.below(10)).slice(0, random.below(16));
  const other = ['', 'X-Long: aaaaaaaaaaaaaaaaaaaa\r\n', 'Host: shop\r\n'][random.below(3)];
  if (random.below(3) === 0) {
    const parts = [body.slice(0, 5), body.slice(5)].filter((part) => part !== '');
    const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
    return { about, head: `${line}\r\n${other}Transfer-Encoding: chunked\r\n\r\n`, body, rest: `${chunks}0\r\n\r\n` };
  }
  return { about, head: `${line}\r\n${other}Content-Length: ${body.length}\r\n\r\n`, body, rest: body };
}

function cuts(random: Random, length: number): number[] {
  if (random.below(4) === 0) return Array.from({ length: length - 1 }, (_, index) => index + 1);
  return [...new Set(Array.from({ length: random.below(9) }, () => 1 + random.below(length - 1)))].sort(
    (a, b) => a - b,
  );
}

test.each([SIDE.client, SIDE.server] as const)(
  'messages with a length or in chunks, cut anywhere: their bytes, places, times (side %i)',
  (side) => {
    for (let seed = 1; seed <= 80; seed += 1) {
      const random = new Random(seed);
      const sent = Array.from({ length: 1 + random.below(4) }, (_, index) => made(random, side, index));
      const blanks = sent.map(() => (random.below(5) === 0 ? '\r\n' : ''));
      const text = sent.map(({ head, rest }, index) => `${blanks[index]}${head}${rest}`).join('');
      const ends = [...cuts(random, text.length), text.length];
      const { reader, ended, calls, data } = reading(side);
      let at = 0;
      for (const [portion, end] of ends.entries()) {
        expect(data(text, at, end, portion)).toBe(end);
        expect(reader.position).toBe(BASE + end);
        at = end;
      }
      const portionOf = (place: number) => ends.findIndex((end) => place < end);
      let start = 0;
      const expected = sent.map(({ about, head, body, rest }, index): Ended => {
        start += blanks[index]?.length ?? 0;
        const from = start;
        start += head.length + rest.length;
        const [first, last] = [portionOf(from), portionOf(start - 1)];
        let timeKnown = true;
        for (let portion = first; portion <= last; portion += 1) if (portion % 5 === 4) timeKnown = false;
        return {
          about,
          body,
          start: BASE + from,
          headEnd: BASE + from + head.length,
          bytes: head.length + rest.length,
          firstTime: first,
          lastTime: last,
          acknowledged: 50 + first,
          gap: false,
          endSeen: true,
          timeKnown,
        };
      });
      expect(ended, `seed ${seed}`).toEqual(expected);
      expect(calls).toEqual(sent.map(({ about }) => `head ${about}`));
      expect([reader.isIdle, reader.inHead, reader.unread, reader.inDoubt]).toEqual([true, false, 0, false]);
      reader.free();
    }
  },
);

describe('bytes that were not captured', () => {
  const NEXT = 'GET /next HTTP/1.1\r\n\r\n';

  test('in a body with a length: the message is known to its end, and so is the next one', () => {
    const head = 'POST /a HTTP/1.1\r\nContent-Length: 12\r\n\r\n';
    const text = `${head}abcdefghijkl${NEXT}`;
    const bodyEnd = head.length + 12;
    for (let from = head.length; from < bodyEnd; from += 1) {
      for (let to = from + 1; to <= bodyEnd; to += 1) {
        const { reader, ended, calls, data } = reading(SIDE.client);
        data(text, 0, from, 0);
        reader.missing(to - from);
        expect([reader.gap, reader.headOnly, reader.position]).toEqual([
          to < bodyEnd || ended.length > 0,
          false,
          BASE + to,
        ]);
        data(text, to, text.length, 1);
        expect(
          ended.map((message) => message.about),
          `${from}-${to}`,
        ).toEqual(['/a', '/next']);
        expect(ended[0]).toMatchObject({
          body: `${text.slice(head.length, from)}~${text.slice(to, bodyEnd)}`,
          bytes: bodyEnd - (to - from),
          gap: true,
          endSeen: to < bodyEnd,
          lastTime: to < bodyEnd ? 1 : 0,
        });
        expect(ended[1]).toMatchObject({ gap: false, endSeen: true, bytes: NEXT.length, start: BASE + bodyEnd });
        expect(calls).toEqual(['head /a', 'head /next']);
      }
    }
    // And what follows it: where the next message begins is not known.
    const { reader, ended, calls, data } = reading(SIDE.client);
    data(text, 0, head.length + 3, 0);
    expect([reader.unread, reader.headOnly]).toEqual([0, false]);
    reader.body = undefined;
    expect(reader.unread).toBe(9);
    reader.missing(14);
    expect(ended).toMatchObject([{ gap: true, endSeen: false }]);
    expect(calls).toEqual(['head /a', `lost at ${bodyEnd}`, `hole ${bodyEnd}+5`]);
    data('xx', 0, 2, 1);
    data(NEXT, 0, NEXT.length, 2);
    expect(ended.map((message) => message.about)).toEqual(['/a', '/next']);
    expect(calls.slice(3)).toEqual(['hole 0+2', 'head /next']);
  });

  test('in chunks: within the data of one the end of the body is still known', () => {
    const head = 'POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n';
    const text = `${head}8\r\nabcdefgh\r\n0\r\n\r\n${NEXT}`;
    const from = head.length + 3;
    for (let missed = 1; missed <= 10; missed += 1) {
      for (let before = 0; before + missed <= 10 && before < 8; before += 1) {
        const { reader, ended, calls, data } = reading(SIDE.client);
        data(text, 0, from + before, 0);
        reader.missing(missed);
        data(text, from + before + missed, text.length - NEXT.length, 1);
        data(text, text.length - NEXT.length, text.length, 2);
        const isKnown = before + missed < 8;
        expect(
          ended.map((message) => message.about),
          `${before}+${missed}`,
        ).toEqual(isKnown ? ['/a', '/next'] : ['/next']);
        if (isKnown) {
          expect(ended[0]).toMatchObject({ gap: true, endSeen: true, bytes: text.length - NEXT.length - missed });
          expect(ended[0]?.body).toBe(`${'abcdefgh'.slice(0, before)}~${'abcdefgh'.slice(before + missed)}`);
        } else expect(calls.slice(1, 3)).toEqual([`lost at ${from + before}`, `hole ${from + before}+${missed}`]);
      }
    }
  });

  test('in a body to the end of the connection they are all the same', () => {
    const head = 'HTTP/1.1 200 OK\r\n\r\n';
    const { reader, ended, calls, data, body } = reading(SIDE.server);
    data(head, 0, head.length, 0);
    expect([reader.at, reader.headOnly]).toEqual([AT.untilEnd, true]);
    data(`${head}abc`, head.length, head.length + 3, 1);
    expect([reader.bytes, reader.lastTime, reader.headOnly, reader.endSeen]).toEqual([head.length + 3, 1, false, true]);
    reader.missing(7);
    expect([reader.gap, reader.endSeen, reader.position]).toEqual([true, false, BASE + head.length + 10]);
    data('xyz', 0, 3, 2);
    expect([reader.bytes, reader.lastTime, reader.endSeen, ended.length, calls]).toEqual([
      head.length + 6,
      2,
      true,
      0,
      ['head 200'],
    ]);
    expect(body()).toBe('abc~xyz');
    reader.body = undefined;
    expect(reader.unread).toBe(Number.POSITIVE_INFINITY);
  });

  test('in a head: what of it came is a message, of a request with the hole before it, of a response behind it', () => {
    const request = reading(SIDE.client);
    const text = 'GET /cart HTTP/1.1\r\nHost: shop\r\n\r\n';
    request.data(text, 0, 25, 0);
    expect([request.reader.inHead, request.reader.isIdle]).toEqual([true, false]);
    request.reader.missing(40);
    expect(request.calls).toEqual(['hole 25+40', 'head /cart', 'lost at 0']);
    expect(request.ended).toMatchObject([{ gap: true, endSeen: false, headEnd: BASE + 26, bytes: 25 }]);
    const response = reading(SIDE.server);
    response.data('HTTP/1.1 404 Not Found\r\nDate: x', 0, 30, 0);
    response.reader.missing(40);
    expect(response.calls).toEqual(['head 404', 'lost at 0', 'hole 30+40']);
    // Of one that does not show what it is nothing is stated.
    const short = reading(SIDE.client);
    short.data('GE', 0, 2, 0);
    short.reader.missing(40);
    expect([short.calls, short.ended]).toEqual([['hole 2+40', 'lost at 0'], []]);
    // Between two messages.
    const idle = reading(SIDE.client);
    idle.reader.missing(3);
    expect([idle.calls, idle.reader.isIdle]).toEqual([['lost at 0', 'hole 0+3'], false]);
  });
});

describe('what is no message', () => {
  test('of the other side, or of no side: the next message is looked for', () => {
    const wrong = reading(SIDE.server);
    const text = 'GET /a HTTP/1.1\r\n\r\n';
    wrong.data(text, 0, text.length, 0);
    expect(wrong.calls).toEqual(['head /a', 'lost at 0: a request from the server', `hole 0+${text.length}`]);
    const other = reading(SIDE.client);
    other.data('HTTP/1.1 200 OK\r\n\r\n', 0, 19, 0);
    expect(other.calls).toEqual(['head 200', 'lost at 0: a response from the client', 'hole 0+19']);
    const none = reading(SIDE.client);
    none.data('SSH-2.0-x\r\n', 0, 11, 0);
    expect(none.calls).toEqual(['lost at 0: no start line', 'hole 0+11']);
    none.data('more of it', 0, 10, 1);
    expect(none.calls.slice(2)).toEqual(['hole 0+10']);
    none.data(text, 0, text.length, 2);
    expect(none.ended).toMatchObject([{ about: '/a', firstTime: 2, start: BASE }]);
    const chunks = reading(SIDE.client);
    const bad = 'POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz';
    chunks.data(bad, 0, bad.length, 0);
    expect(chunks.calls).toEqual(['head /a', `lost at ${bad.length - 2}: no chunk size`, `hole ${bad.length - 2}+2`]);
  });

  test('a head of 64 KiB is read as far as it came; one that does not end with its first portion is a message too', () => {
    const { reader, ended, calls, data } = reading(SIDE.client);
    const text = `GET /long HTTP/1.1\r\nX: ${'x'.repeat(70_000)}`;
    data(text, 0, 30_000, 0);
    data(text, 30_000, 65_535, 1);
    expect([ended.length, reader.inHead]).toEqual([0, true]);
    data(text, 65_535, 65_536, 2);
    expect(ended).toMatchObject([{ about: '/long', bytes: 65_536, gap: false, headEnd: BASE + 65_536, lastTime: 2 }]);
    expect(calls).toEqual(['head /long', 'lost at 0']);
    const given = reading(SIDE.client);
    given.data('GET /up HTTP/1.1\r\nHost', 0, 22, 0);
    given.reader.giveUpHead();
    expect([given.calls, given.ended.length]).toEqual([['head /up', 'lost at 0'], 1]);
  });

  test('a message behind which none follows: reading stops there', () => {
    const { ended, data } = reading(SIDE.client);
    const text = 'GET /last HTTP/1.1\r\n\r\n';
    expect(data(`${text}GET`, 0, text.length + 3, 0)).toBe(text.length);
    const cut = reading(SIDE.client);
    cut.data(text, 0, 9, 0);
    expect(cut.data(`${text}GET`, 9, text.length + 3, 1)).toBe(text.length);
    const long = 'POST /last HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc';
    expect(reading(SIDE.client).data(`${long}GET`, 0, long.length + 3, 0)).toBe(long.length);
    expect(ended).toHaveLength(1);
  });
});

describe('a body that may not come', () => {
  const head = 'POST /up HTTP/1.1\r\nContent-Length: 8\r\n\r\n';
  const begun = () => {
    const made = reading(SIDE.client);
    made.data(head, 0, head.length, 0);
    made.reader.doubtBody();
    expect([made.reader.inDoubt, made.reader.inHead, made.reader.isIdle]).toEqual([true, false, false]);
    return made;
  };

  test('a head in its place is the next message; anything else is the body', () => {
    for (const cut of [1, 3, 8, 12]) {
      const next = begun();
      const text = `${head}GET /next HTTP/1.1\r\n\r\n`;
      next.data(text, head.length, head.length + cut, 1);
      next.data(text, head.length + cut, text.length, 2);
      expect(next.ended, `${cut}`).toMatchObject([
        { about: '/up', bytes: head.length, body: '' },
        { about: '/next', start: BASE + head.length },
      ]);
      const body = begun();
      const whole = `${head}GET-it-nGET /next HTTP/1.1\r\n\r\n`;
      body.data(whole, head.length, head.length + cut, 1);
      body.data(whole, head.length + cut, whole.length, 2);
      expect(body.ended, `${cut}`).toMatchObject([
        { about: '/up', bytes: head.length + 8, body: 'GET-it-n' },
        { about: '/next', start: BASE + head.length + 8 },
      ]);
    }
  });

  test('what came before a hole is the body; a body that has begun is not doubted', () => {
    const { reader, ended, data } = begun();
    data(`${head}GET`, head.length, head.length + 3, 1);
    reader.missing(5);
    expect(ended).toMatchObject([{ about: '/up', bytes: head.length + 3, body: 'GET~', gap: true, endSeen: false }]);
    const late = reading(SIDE.client);
    late.data(`${head}a`, 0, head.length + 1, 0);
    late.reader.doubtBody();
    expect(late.reader.inDoubt).toBe(false);
  });
});
