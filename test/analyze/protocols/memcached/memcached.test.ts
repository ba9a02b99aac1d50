import { join } from 'node:path';
import { expect, test } from 'vitest';
import { memcached } from '../../../../src/analyze/protocols/memcached/index.ts';
import { Recognition } from '../../../../src/analyze/protocols/recognise.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { Random } from '../../../support/random.ts';
import { conversations } from '../conversations.ts';
import { likesNoNoise, sameHoweverCut } from '../hardiness.ts';
import { play, type Step } from '../play.ts';

/** Made by captures/make-memcached.sh. */
const [steps = []] = conversations(join(import.meta.dirname, '../captures/memcached.pcap'));
const unknown = steps.findIndex(
  ([, what]) => what instanceof Uint8Array && Buffer.from(what).toString() === 'wrong\r\n',
);

const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange' ? `${event.label} = ${event.status} ${event.incomplete ?? ''}`.trim() : event.label,
  );

const SAID = [
  'set cart = STORED',
  'get cart = hit',
  'get nothing = miss',
  'gets cart nothing other = hit',
  'add cart = NOT_STORED',
  'set count = STORED',
  'incr count = OK',
  'get count = hit',
  'set quiet = noreply',
  'get quiet = hit',
  'delete cart = DELETED',
  'delete cart = NOT_FOUND',
  'ms meta = HD',
  'mg meta = hit',
  'mg none = miss',
  'mn = MN',
];

test('commands and their answers, cut anywhere', () => {
  expect(unknown).toBeGreaterThan(0);
  expect(brief(sameHoweverCut(memcached, steps.slice(0, unknown)))).toEqual(SAID);
});

test('behind an unknown command it is taken up again, and in the middle', () => {
  expect(brief(play(memcached, steps))).toEqual([
    ...SAID,
    'wrong = ERROR',
    'version = VERSION',
    'stats settings = END',
  ]);
  expect(brief(play(memcached, steps.slice(4)))).toEqual([
    ...SAID.slice(2),
    'wrong = ERROR',
    'version = VERSION',
    'stats settings = END',
  ]);
});

test('errors fail, values are skipped, gaps within them told', () => {
  const big: Step[] = [
    [0, 'get a b\r\n'],
    [1, 'VALUE a 0 100000\r\n'],
    [1, 'x'.repeat(1000)],
    [1, { gap: 90_000 }],
    [1, `${'x'.repeat(9000)}\r\nEND\r\n`],
    [0, 'set a 0 0 1\r\nx\r\n'],
    [1, 'SERVER_ERROR out of memory storing object\r\n'],
  ];
  const said = play(memcached, big);
  expect(brief(said)).toEqual([
    'get a b = hit response not captured',
    'set a = SERVER_ERROR out of memory storing object',
  ]);
  expect(said[1]).toMatchObject({ failed: true });
  expect(said[0]).toMatchObject({ responseBytes: 18 + 100_002 + 5 });
});

test.each([
  ['get cart\r\n', 'client'],
  ['set a 0 0 1\r\n', 'client'],
  ['VALUE a 0 1\r\n', 'server'],
  ['get ca', 'more'],
  ['GET / HTTP/1.1\r\n', 'no'],
  ['delete from stock\r\n', 'no'],
  ['QUIT\r\n', 'no'],
  ['version 1\r\n', 'no'],
])('%j looks like %s', (text, likeness) => {
  const bytes = Buffer.from(text, 'latin1');
  expect(memcached.probe(bytes, 0, bytes.length)).toBe(likeness);
});

test('noise and changed bytes', () => {
  likesNoNoise(memcached, 200_000);
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = new Random(seed);
    const changed = steps.map(([side, what]): Step => {
      if (!(what instanceof Uint8Array) || random.below(3) > 0) return [side, what];
      const copy = Uint8Array.from(what);
      copy[random.below(copy.length)] = random.below(256);
      return random.below(8) === 0 ? [side, { gap: what.length }] : [side, copy];
    });
    expect(play(memcached, changed).length).toBeLessThan(100);
  }
});

test("on Redis' port its words are inline commands of Redis", () => {
  const recognition = new Recognition();
  const line = Buffer.from('get cart\r\n');
  recognition.look(line, 0, line.length, 6379, 40_000);
  expect(recognition.protocol?.name).toBeUndefined();
  recognition.look(line, 0, line.length, 11_212, 40_000);
  expect(recognition.protocol?.name).toBe('memcached');
});

test('a length that is refused, and a key behind a time', () => {
  const said: Step[] = [
    [0, 'set k 0 0 -1\r\n'],
    [1, 'CLIENT_ERROR bad data chunk\r\n'],
    [0, 'gat 100 n o\r\n'],
    [1, 'VALUE n 0 1\r\n6\r\nEND\r\n'],
  ];
  const events = sameHoweverCut(memcached, said);
  expect(brief(events)).toEqual(['set k = CLIENT_ERROR bad data chunk', 'gat 100 n o = hit']);
  expect(events[1]?.fields.memcached).toMatchObject({ key: 'n' });
});
