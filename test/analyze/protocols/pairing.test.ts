import { expect, test } from 'vitest';
import { Pairing } from '../../../src/analyze/protocols/pairing.ts';

/**
 * A request R of 10 bytes (`late` where packets behind it came before it, `crossing` where more of the answers was on its way,
 * `answering` where an answer had begun and not ended),
 * an answer A of 10 bytes, what was not captured of either side: each with what its packet acknowledged.
 */
type Step =
  | readonly ['R', name: string, start: number, acknowledged: number, how?: 'late' | 'crossing' | 'answering']
  | readonly ['A', start: number, acknowledged: number]
  | readonly ['client gap' | 'server gap', offset: number, length: number];

/** A connection of which nothing has been seen yet. */
const NOTHING_SEEN = {
  midstream: false,
  now: 0,
  lateEnd: -1,
  lateAcknowledged: -1,
  lateAnswers: 0,
  isCrossing: false,
  isCut: false,
};

function run(steps: readonly Step[], midstream = false, shortest = 1): string[] {
  const context = { ...NOTHING_SEEN, midstream };
  const pairing = new Pairing<string>(context, shortest);
  const said: string[] = [];
  for (const step of steps) {
    context.now += 1;
    if (step[4] === 'late') context.lateEnd = Number(step[2]) + 10;
    context.isCrossing = step[4] === 'crossing';
    const isAnswering = step[4] === 'answering';
    if (step[0] === 'R')
      pairing.push(step[1], { start: step[2], end: step[2] + 10, acknowledged: step[3], isAnswering });
    else if (step[0] === 'client gap') pairing.clientGap(step[1], step[2]);
    else if (step[0] === 'server gap') pairing.serverGap(step[1], step[2]);
    else {
      const answer = pairing.answer({ start: step[1], acknowledged: step[2] });
      for (const request of answer.skipped) said.push(`${request} lost`);
      for (const request of answer.unpaired) said.push(`${request} unknown`);
      said.push(
        answer.kind === 'paired'
          ? `${answer.request}${answer.proven ? '' : '?'}`
          : answer.kind === 'unknown'
            ? `? of ${answer.candidates}`
            : 'not seen',
      );
    }
  }
  for (const request of pairing.doubtful()) said.push(`${request} unknown`);
  for (const request of pairing.rest()) said.push(`${request} waits`);
  return said;
}

test.each<[what: string, steps: Step[], said: string[]]>([
  [
    'serial',
    [
      ['R', 'a', 0, 0],
      ['A', 0, 10],
      ['R', 'b', 10, 10],
      ['A', 10, 20],
    ],
    ['a', 'b'],
  ],
  [
    'several at once',
    [
      ['R', 'a', 0, 0],
      ['R', 'b', 10, 0],
      ['A', 0, 20],
      ['A', 10, 20],
    ],
    ['a', 'b'],
  ],
  [
    'an answer that was sent before the request had arrived',
    [
      ['R', 'a', 0, 0],
      ['A', 0, 0],
    ],
    ['not seen', 'a waits'],
  ],
  [
    'a request that was sent before an answer that is here had arrived: the client does not wait',
    [
      ['R', 'a', 0, 0],
      ['R', 'b', 10, 0],
      ['A', 0, 20],
      ['A', 10, 20],
      ['R', 'c', 20, 10],
      ['R', 'd', 30, 20],
      ['A', 20, 40],
      ['R', 'e', 40, 30],
      ['server gap', 30, 10],
      ['R', 'f', 50, 40],
      ['A', 40, 60],
    ],
    ['a', 'b', 'c', 'd unknown', '? of 3', 'e unknown', 'f unknown'],
  ],
  [
    'a serial client, one request lost',
    [
      ['R', 'a', 0, 0],
      ['A', 0, 10],
      ['client gap', 10, 10],
      ['A', 10, 20],
      ['R', 'c', 20, 20],
      ['A', 20, 30],
    ],
    ['a', 'not seen', 'c?'],
  ],
  [
    'a serial client, one answer lost',
    [
      ['R', 'a', 0, 0],
      ['server gap', 0, 10],
      ['R', 'b', 10, 10],
      ['A', 10, 20],
    ],
    ['a lost', 'b'],
  ],
  [
    'requests sent before and behind the end of an answer, which is lost: the later one waits behind the other all the same',
    [
      ['R', 'a', 0, 0],
      ['A', 0, 10],
      ['R', 'b', 10, 5, 'answering'],
      ['server gap', 5, 5],
      ['R', 'c', 20, 10],
      ['A', 10, 30],
    ],
    ['a', 'b unknown', '? of 2', 'c unknown'],
  ],
  [
    'requests sent within an answer and at its end, all of it lost: the later one waits behind the other all the same',
    [
      ['R', 'a', 0, 0],
      ['server gap', 0, 5],
      ['R', 'b', 10, 5],
      ['server gap', 5, 5],
      ['R', 'c', 20, 10],
      ['A', 10, 30],
    ],
    ['a lost', 'b unknown', '? of 2', 'c unknown'],
  ],
  [
    'an answer of which the beginning was captured, and two parts were lost with a request between',
    [
      ['R', 'a', 0, 0],
      ['A', 0, 10],
      ['server gap', 3, 3],
      ['R', 'b', 10, 6],
      ['server gap', 6, 4],
      ['R', 'c', 20, 10],
      ['A', 10, 30],
    ],
    ['a', 'b unknown', '? of 2', 'c unknown'],
  ],
  [
    'an answer paired at its end, a request within it, and a hole over the end of the one and all of the next',
    [
      ['R', 'a', 0, 0],
      ['R', 'b', 10, 5],
      ['A', 0, 10],
      ['server gap', 5, 15],
      ['R', 'c', 20, 20],
      ['A', 20, 30],
    ],
    ['a', 'b unknown', '? of 2', 'c unknown'],
  ],
  [
    'a serial client, a request and its answer lost: one more is not proven',
    [
      ['R', 'a', 0, 0],
      ['A', 0, 10],
      ['R', 'b', 10, 10],
      ['A', 10, 20],
      ['client gap', 20, 10],
      ['server gap', 20, 10],
      ['R', 'd', 30, 30],
      ['A', 30, 40],
      ['R', 'e', 40, 40],
      ['A', 40, 50],
    ],
    ['a', 'b', 'd unknown', '? of 2', 'e'],
  ],
  [
    'several at once, the first answer lost: two candidates, then one',
    [
      ['R', 'a', 0, 0],
      ['R', 'b', 10, 0],
      ['server gap', 0, 10],
      ['A', 10, 20],
      ['A', 20, 20],
    ],
    ['a unknown', '? of 2', 'b'],
  ],
  [
    'several at once, the last answer lost: what follows is not shifted',
    [
      ['R', 'a', 0, 0],
      ['R', 'b', 10, 0],
      ['A', 0, 20],
      ['server gap', 10, 10],
      ['R', 'c', 20, 20],
      ['A', 20, 30],
    ],
    ['a', 'b unknown', '? of 2', 'c unknown'],
  ],
  [
    'a serial client, one request lost, then one that was sent before the answer on its way had come: it does not wait',
    [
      ['R', 'a', 0, 0],
      ['A', 0, 10],
      ['R', 'b', 10, 10],
      ['A', 10, 20],
      ['R', 'c', 20, 20],
      ['A', 20, 30],
      ['client gap', 30, 10],
      ['A', 30, 40],
      ['R', 'e', 40, 40],
      ['R', 'f', 50, 45, 'crossing'],
      ['A', 40, 50],
      ['A', 50, 60],
    ],
    ['a', 'b', 'c', 'not seen', 'e unknown', '? of 2', 'f?'],
  ],
  [
    'a request that was sent again: what it acknowledges shows neither that one answer had come nor that none had',
    [
      ['R', 'a', 0, 0],
      ['A', 0, 10],
      ['server gap', 10, 10],
      ['R', 'b', 10, 10, 'late'],
      ['R', 'c', 20, 20],
      ['A', 20, 30],
    ],
    ['a', 'b unknown', '? of 2', 'c unknown'],
  ],
  [
    'a request lost of several at once',
    [
      ['R', 'a', 0, 0],
      ['client gap', 10, 10],
      ['R', 'c', 20, 0],
      ['A', 0, 30],
      ['A', 10, 30],
      ['A', 20, 30],
    ],
    ['a', 'c unknown', '? of 2', '? of 1'],
  ],
])('%s', (_, steps, said) => {
  expect(run(steps)).toEqual(said);
});

// A hole of 15 bytes that begins where a request ended, and an answer to what was in it; then a request of which the answer
// acknowledges all.
const ONE_UNSEEN: Step[] = [
  ['R', 'a', 0, 0],
  ['A', 0, 10],
  ['client gap', 10, 15],
  ['A', 10, 25],
  ['R', 'c', 25, 20],
  ['A', 20, 35],
];

test.each([
  [8, 'c', 'the hole holds one request of 8 bytes, and it was answered'],
  [7, 'c?', 'the hole may hold two of 7 bytes'],
])('shortest request of %i bytes: %s, %s', (shortest, said) => {
  expect(run(ONE_UNSEEN, false, shortest)).toEqual(['a', 'not seen', said]);
});

test('a hole that begins within a request may end that one and hold another', () => {
  const steps: Step[] = ONE_UNSEEN.map((step) => (step[0] === 'client gap' ? ['client gap', 12, 13] : step));
  expect(run(steps, false, 8)).toEqual(['a', 'not seen', 'c?']);
});

test('two requests, one of them in a hole, and one answer before the next request: the client does not wait', () => {
  const pairs = [0, 20, 40].flatMap((at): Step[] => [
    ['R', `${at}`, at, at],
    ['R', `${at + 10}`, at + 10, at],
    ['A', at, at + 20],
    ['A', at + 10, at + 20],
  ]);
  const said = run([
    ...pairs,
    ['client gap', 60, 10],
    ['R', '70', 70, 60],
    ['A', 60, 80],
    ['R', '80', 80, 70],
    ['A', 70, 90],
  ]);
  expect(said.slice(6)).toEqual(['70 unknown', '? of 2', '80?']);
});

test('a capture that begins while four requests are under way: their answers come right behind the next four by chance', () => {
  const context = { ...NOTHING_SEEN, midstream: true };
  const pairing = new Pairing<string>(context);
  const kinds: string[] = [];
  for (let index = 0; index < 4; index += 1) {
    context.now += 40_100;
    pairing.push(String(index), { start: 1_000 + 10 * index, end: 1_010 + 10 * index, acknowledged: 100 + 10 * index });
    context.now += 2_000;
    const answer = pairing.answer({ start: 100 + 10 * index, acknowledged: 1_010 + 10 * index });
    kinds.push(answer.kind === 'paired' && answer.proven ? 'proven' : 'not proven');
  }
  expect(kinds).toEqual(['not proven', 'not proven', 'not proven', 'not proven']);
});

test('two holes in the requests: as many answers as the second one can hold may be of those in the first one', () => {
  const said = run(
    [
      ['client gap', 0, 30],
      ['R', 'a', 30, 0],
      ['client gap', 40, 10],
      ['A', 0, 50],
      ['A', 10, 50],
      ['R', 'b', 50, 20],
      ['A', 20, 60],
    ],
    false,
    10,
  );
  expect(said).toEqual(['a unknown', '? of 2', '? of 1', 'b?']);
});

test('a request of which the end was cut off, and its answer: what followed it may have been sent with it', () => {
  const context = { ...NOTHING_SEEN, isCut: true };
  const pairing = new Pairing<string>(context);
  pairing.push('a', { start: 0, end: 10, acknowledged: 0 });
  pairing.clientGap(10, 20);
  pairing.answer({ start: 0, acknowledged: 30, hasNoLogin: true });
  pairing.clientGap(30, 10);
  pairing.answer({ start: 10, acknowledged: 40, hasNoLogin: true });
  pairing.push('d', { start: 40, end: 50, acknowledged: 20 });
  expect(pairing.answer({ start: 20, acknowledged: 50, hasNoLogin: true })).toMatchObject({ proven: false });
});
