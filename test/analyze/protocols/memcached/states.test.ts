import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memcached } from '../../../../src/analyze/protocols/memcached/index.ts';
import { Random } from '../../../support/random.ts';
import { brief, briefOfFile } from '../brief.ts';
import { likesNoNoise } from '../hardiness.ts';
import { type PlayOptions, play, playCut, type Step } from '../play.ts';

/** Every cutting gives the same. */
function lines(steps: readonly Step[], options: PlayOptions = {}): string[] {
  const [whole, ...cut] = playCut(memcached, steps, options, 6);
  for (const events of cut) expect(events).toEqual(whole);
  return brief(whole ?? []);
}

describe('quiet meta commands', () => {
  test('a capture of them', async () => {
    expect(await briefOfFile(join(import.meta.dirname, 'captures/memcached-meta-quiet.pcap'))).toEqual([
      'mg k1 = hit',
      'mn = MN',
      'mg k9 = miss',
      'mg k8 = hit',
    ]);
  });

  test('what is not answered is known by the answer to a later command', () => {
    expect(
      lines([
        [0, 'mg a v q\r\nms b 1 q\r\nx\r\nmd c q\r\nmg d v q\r\nmn\r\n'],
        [1, 'EX\r\nMN\r\n'],
        [0, 'mg e v\r\n'],
        [1, 'EN\r\n'],
      ]),
    ).toEqual([
      // EX can be an answer of both ms and md.
      'ms b =  [unknown]',
      'md c =  [unknown]',
      'mg a = miss',
      'mg d = miss',
      'mn = MN',
      'mg e = miss',
    ]);
    expect(
      lines([
        [0, 'mg a v q\r\nms b 1 q\r\nx\r\nmg d v q\r\nmn\r\n'],
        [1, 'NS\r\nMN\r\n'],
      ]),
    ).toEqual(['mg a = miss', 'ms b = NS', 'mg d = miss', 'mn = MN']);
  });

  test('a miss is never the answer to a quiet command', () => {
    expect(
      lines([
        [0, 'mg a v q\r\nmg b v q\r\nmg c v\r\nmn\r\n'],
        [1, 'EN\r\nMN\r\n'],
      ]),
    ).toEqual(['mg a = miss', 'mg b = miss', 'mg c = miss', 'mn = MN']);
  });

  test('an opaque number or a key in the answer names the command', () => {
    expect(
      lines([
        [0, 'mg a v q O1\r\nmg b v q O2\r\nmg c v q O3\r\nmg d v O4\r\nmg e v q k\r\nmg f v q k\r\nmg g v k\r\n'],
        [1, 'VA 1 O2\r\nx\r\nVA 1 O4\r\ny\r\nVA 1 kf\r\nz\r\nEN\r\n'],
      ]),
    ).toEqual(['mg a = miss', 'mg b = hit', 'mg c = miss', 'mg d = hit', 'mg e = miss', 'mg f = hit', 'mg g = miss']);
  });

  test('where several can have an answer none is named, and the next commands are right', () => {
    const said = lines([
      [0, 'mg a v q\r\nmg b v q\r\nmg c v\r\n'],
      [1, 'VA 1\r\nx\r\n'],
      [1, 'VA 1\r\ny\r\n'],
      [0, 'set d 0 0 1\r\nx\r\n'],
      [1, 'STORED\r\n'],
      [0, 'get d\r\n'],
      [1, 'END\r\n'],
    ]);
    expect(said.filter((line) => /^mg [abc]/.test(line)).every((line) => line.endsWith('[unknown]'))).toBe(true);
    expect(said.at(-1)).toBe('get d = miss');
  });

  test('at the end of the capture their answers are not known', () => {
    expect(lines([[0, 'mg a v q\r\n']], { end: 'capture ended' })).toEqual(['mg a = noreply [capture ended]']);
    expect(lines([[0, 'mg a v q\r\n']])).toEqual(['mg a = noreply']);
  });
});

describe('what is missing', () => {
  test('a lost command shifts nothing', () => {
    expect(
      brief(
        play(memcached, [
          [0, 'get a\r\n'],
          [1, 'SERVER_ERROR a\r\n'],
          [0, { gap: 7 }],
          [1, 'SERVER_ERROR b\r\n'],
          [0, 'get c\r\n'],
          [1, 'SERVER_ERROR c\r\n'],
        ]),
      ),
    ).toEqual([
      'get a = SERVER_ERROR a!',
      '(request not seen) = SERVER_ERROR b! [request not seen]',
      expect.stringMatching(/^get c = SERVER_ERROR c!/),
    ]);
  });

  test('a lost answer', () => {
    const said = brief(
      play(memcached, [
        [0, 'get a\r\n'],
        [1, { gap: 30 }],
        [1, 'rest\r\nEND\r\n'],
        [0, 'get b\r\n'],
        [1, 'END\r\n'],
        [0, 'get c\r\n'],
        [1, 'END\r\n'],
      ]),
    );
    expect(said.filter((line) => !line.startsWith('PROTOCOL_LOST'))).toEqual([
      'get a =  [response not captured]',
      'get b = miss',
      'get c = miss',
    ]);
    expect(said[0]).toMatch(/^PROTOCOL_LOST memcached not understood at byte 30 from the server/);
  });

  test.each([
    ['closed', 'closed early', true],
    ['reset', 'reset', true],
    ['capture ended', 'capture ended', false],
    ['evicted', 'unknown', false],
  ] as const)('an answer of which a part came, %s', (end, incomplete, failed) => {
    const [event] = play(
      memcached,
      [
        [0, 'get a\r\n'],
        [1, 'VALUE a 0 100\r\nabc'],
      ],
      { end },
    );
    expect(event).toMatchObject({ label: 'get a', incomplete, failed, responseBytes: 18, responseEnd: undefined });
  });

  test('an answer that goes on behind a hole in a value has no end before that is seen', () => {
    const [event] = play(memcached, [
      [0, 'get a\r\n'],
      [1, 'VALUE a 0 100\r\nabc'],
      [1, { gap: 60 }],
    ]);
    expect(event).toMatchObject({ incomplete: 'closed early', responseBytes: 78, responseEnd: undefined });
  });

  test('a log that is watched answers nothing', () => {
    expect(
      lines([
        [0, 'watch fetchers\r\n'],
        [1, 'OK\r\nts=1 gid=1 type=item_get\r\n'],
        [1, 'END\r\n'],
      ]),
    ).toEqual(['watch fetchers = OK']);
  });

  test('a list of any words', () => {
    expect(
      lines([
        [0, 'lru_crawler metadump all\r\n'],
        [1, 'key=a exp=-1 la=1\r\nkey=b exp=-1 la=1\r\nEND\r\n'],
        [0, 'get a\r\n'],
        [1, 'END\r\n'],
      ]),
    ).toEqual(['lru_crawler metadump = END', 'get a = miss']);
  });
});

describe('the binary protocol', () => {
  interface Fields {
    readonly opaque?: number;
    readonly status?: number;
    readonly key?: string;
    readonly extras?: number;
    readonly value?: string;
  }

  function message(
    magic: number,
    opcode: number,
    { opaque = 0, status = 0, key = '', extras = 0, value = '' }: Fields,
  ): Buffer {
    const header = Buffer.alloc(24 + extras);
    header[0] = magic;
    header[1] = opcode;
    header.writeUInt16BE(key.length, 2);
    header[4] = extras;
    header.writeUInt16BE(status, 6);
    header.writeUInt32BE(extras + key.length + value.length, 8);
    header.writeUInt32BE(opaque, 12);
    return Buffer.concat([header, Buffer.from(key + value)]);
  }

  const ask = (opcode: number, fields: Fields) => message(0x80, opcode, fields);
  const answer = (opcode: number, fields: Fields = {}) => message(0x81, opcode, fields);
  const [GET, SET, GETQ, NOOP, STAT, SETQ] = [0, 1, 9, 10, 16, 17] as const;

  test('a command that must name a key and does not is none: 24 bytes like these are in many files', () => {
    expect(memcached.probe(ask(0x23, { opaque: 0x0482_0000 }), 0, 24)).toBe('no');
    expect(memcached.probe(ask(NOOP, { opaque: 0x0482_0000 }), 0, 24)).toBe('client');
  });

  test('commands and answers by opcode and status', () => {
    expect(
      lines([
        [0, ask(SET, { key: 'cart', extras: 8, value: 'x'.repeat(3000) })],
        [1, answer(SET)],
        [0, Buffer.concat([ask(GET, { key: 'cart' }), ask(GET, { key: 'none' }), ask(SET, { key: 'big', extras: 8 })])],
        [
          1,
          Buffer.concat([
            answer(GET, { extras: 4, value: 'x'.repeat(3000) }),
            answer(GET, { status: 1, value: 'Not found' }),
          ]),
        ],
        [1, answer(SET, { status: 0x82, value: 'Out of memory' })],
      ]),
    ).toEqual(['set cart = OK', 'get cart = hit', 'get none = miss', 'set big = OUT_OF_MEMORY!']);
  });

  test('quiet commands are told apart by their numbers; statistics are one answer', () => {
    expect(
      lines([
        [
          0,
          Buffer.concat(
            [1, 2, 3].map((opaque) => ask(GETQ, { key: `k${opaque}`, opaque })).concat(ask(NOOP, { opaque: 4 })),
          ),
        ],
        [1, Buffer.concat([answer(GETQ, { opaque: 2, extras: 4, value: 'v' }), answer(NOOP, { opaque: 4 })])],
        [0, Buffer.concat([ask(SETQ, { key: 's', extras: 8, opaque: 5 }), ask(STAT, { opaque: 6 })])],
        [1, Buffer.concat([answer(STAT, { opaque: 6, key: 'pid', value: '1' }), answer(STAT, { opaque: 6 })])],
      ]),
    ).toEqual(['get k1 = noreply', 'get k2 = hit', 'get k3 = noreply', 'noop = OK', 'set s = noreply', 'stat = OK']);
  });

  test('a lost command shifts nothing, and what follows a hole is found', () => {
    const said = brief(
      play(memcached, [
        [0, ask(GET, { key: 'a', opaque: 1 })],
        [1, answer(GET, { opaque: 1, extras: 4 })],
        [0, { gap: 25 }],
        [1, answer(GET, { opaque: 2, status: 1 })],
        [0, Buffer.concat([Buffer.from('rest of a value'), ask(GET, { key: 'c', opaque: 3 })])],
        [1, answer(GET, { opaque: 3, status: 1 })],
      ]),
    );
    expect(said).toContain('get a = hit');
    expect(said).toContain('(request not seen) = miss [request not seen]');
    expect(said.find((line) => line.startsWith('get c'))).toMatch(/^get c = /);
    expect(said.find((line) => line.startsWith('PROTOCOL_LOST'))).toMatch(/at byte 50 from the client/);
  });

  test('is recognised, and noise is not', () => {
    const probe = (bytes: Uint8Array) => memcached.probe(bytes, 0, bytes.length);
    expect(probe(ask(GET, { key: 'a' }))).toBe('client');
    expect(probe(answer(GET))).toBe('server');
    expect(probe(ask(GET, { key: 'a' }).subarray(0, 20))).toBe('more');
    expect(probe(ask(0x99, { key: 'a' }))).toBe('no');
    likesNoNoise(memcached, 200_000);
  });

  test('any bytes: nothing is thrown', () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = new Random(seed);
      const steps = Array.from({ length: 30 }, (): Step => {
        const bytes = message(0x80 + random.below(2), random.below(40), {
          key: 'k',
          opaque: random.below(4),
          extras: random.below(3) * 4,
        });
        if (random.below(3) === 0) bytes[random.below(bytes.length)] = random.below(256);
        return [random.below(2) === 0 ? 0 : 1, random.below(6) === 0 ? { gap: random.below(99) } : bytes];
      });
      expect(play(memcached, steps).length).toBeLessThan(100);
    }
  });
});
