import { expect, test } from 'vitest';
import { MARK, PendingQueries } from '../../../../src/analyze/protocols/dns/pending.ts';
import { CUT_QUESTION, Question } from '../../../../src/analyze/protocols/dns/question.ts';
import { Random } from '../../../support/random.ts';

/** One query, as an object. */
interface Query {
  readonly flow: number;
  readonly side: number;
  readonly id: number;
  readonly hash: number;
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  readonly question: Question;
  readonly detail: string | undefined;
  readonly clock: number;
  marks: number;
  repeats: number;
}

const MARKS = [MARK.answered, MARK.toAll, MARK.rejected];

/** All that is known of an entry. */
function read(pending: PendingQueries<string>, entry: number): Omit<Query, 'id' | 'hash'> {
  return {
    flow: pending.flow(entry),
    side: pending.side(entry),
    first: pending.first(entry),
    last: pending.last(entry),
    bytes: pending.bytes(entry),
    question: pending.question(entry),
    detail: pending.detail(entry),
    clock: pending.clock(entry),
    marks: MARKS.reduce((marks, mark) => (pending.has(entry, mark) ? marks | mark : marks), 0),
    repeats: pending.repeats(entry),
  };
}

test.each([1, 2])('any queries, answers and losses are those of a plain list (seed %i)', (seed) => {
  const random = new Random(seed);
  const pending = new PendingQueries<string>(200, seed * 77);
  const known = new Map<number, Query>();
  // Few flows and ids, so that they meet; some far apart.
  const anyFlow = () => (random.below(10) === 0 ? random.below(3000) : random.below(4));
  const anyId = () => (random.below(3) === 0 ? 65_535 : random.below(4));
  const anyHash = () => random.below(4) * 1000;
  const anyEntry = () => [...known.keys()][random.below(known.size)] as number;
  const same = (flow: number, side: number, id: number) =>
    [...known].filter(([, query]) => query.flow === flow && query.side === side && query.id === id);
  for (let step = 0; step < 1500; step += 1) {
    const [flow, side, id, hash] = [anyFlow(), random.below(2), anyId(), anyHash()];
    const what = random.below(step % 500 < 350 ? 8 : 12);
    if (what < 4 && known.size < 200) {
      const question = new Question(`q${step}`, 'A', `A q${step}`, 'q');
      const detail = random.below(2) === 0 ? `d${step}` : undefined;
      const marks = random.below(2) === 0 ? 0 : (MARKS[random.below(3)] as number);
      const query = {
        flow,
        side,
        id,
        hash,
        first: step,
        last: step + 0.5,
        bytes: 40 + step,
        question,
        detail,
        clock: step % 3,
        marks,
        repeats: 0,
      };
      pending.add(flow, side, id, hash, step, step + 0.5, 40 + step, question, detail, marks, step % 3);
      const entry = pending.firstOf(flow);
      expect(known.has(entry)).toBe(false);
      known.set(entry, query);
    } else if (what === 4) {
      const found = pending.find(flow, side, id, hash);
      const fitting = same(flow, side, id).filter(([, query]) => query.hash === hash || hash === 0 || query.hash === 0);
      expect(fitting.length === 0 ? [-1] : fitting.map(([entry]) => entry)).toContain(found);
    } else if (what === 5) {
      const before = step - random.below(400);
      const found = pending.outdated(flow, side, id, before);
      const all = same(flow, side, id);
      const late = all.filter(([, query]) => query.first < before);
      const fitting = all.length >= 8 ? all : late;
      expect(fitting.length === 0 ? [-1] : fitting.map(([entry]) => entry)).toContain(found);
    } else if (what === 6) {
      const mark = MARKS[random.below(3)] as number;
      pending.markOf(flow, mark);
      for (const query of known.values()) if (query.flow === flow) query.marks |= mark;
    } else if (what === 7 && known.size > 0) {
      const entry = anyEntry();
      const query = known.get(entry) as Query;
      pending.addRepeat(entry, 2);
      pending.mark(entry, MARK.answered);
      query.repeats += 2;
      query.marks |= MARK.answered;
    } else if (known.size > 0) {
      const entry = anyEntry();
      pending.remove(entry);
      known.delete(entry);
      expect(pending.question(entry)).toBe(CUT_QUESTION);
      expect(pending.detail(entry)).toBeUndefined();
    }
    expect(pending.count).toBe(known.size);
    if (step % 150 !== 149) continue;
    for (const [entry, { id: _, hash: __, ...query }] of known) expect(read(pending, entry)).toEqual(query);
    const flows = new Set([...known.values()].map((query) => query.flow));
    for (const asked of [...flows, 2999, 5000]) {
      expect(known.get(pending.firstOf(asked))?.flow).toBe(flows.has(asked) ? asked : undefined);
    }
    // The hand comes by every entry before it comes by one again.
    const seen = Array.from({ length: known.size }, () => (known.size > 0 ? pending.oldish() : -1));
    expect(new Set(seen)).toEqual(new Set(known.keys()));
  }
  // All of one flow, one after the other: none is left behind.
  for (let left = known.size; left > 0; left -= 1) {
    const entry = pending.firstOf((known.values().next().value as Query).flow);
    expect(known.delete(entry)).toBe(true);
    pending.remove(entry);
  }
  expect([pending.count, pending.firstOf(0), pending.find(0, 0, 0, 0)]).toEqual([0, -1, -1]);
});

test('eight queries with one id are waited for; with one more, the first that is found is outdated', () => {
  const pending = new PendingQueries<string>(100, 1);
  for (let index = 0; index < 7; index += 1) {
    pending.add(3, 1, 9, 5, 100 + index, 100, 40, CUT_QUESTION, undefined, 0, 0);
    expect(pending.outdated(3, 1, 9, 100)).toBe(-1);
    // Those of another side, id or flow do not count.
    pending.add(3, 0, 9, 5, 100, 100, 40, CUT_QUESTION, undefined, MARK.toAll, 0);
    pending.add(3, 1, 8, 5, 100, 100, 40, CUT_QUESTION, undefined, 0, 0);
  }
  pending.add(3, 1, 9, 5, 107, 100, 40, CUT_QUESTION, undefined, 0, 0);
  expect(pending.outdated(3, 1, 9, 100)).not.toBe(-1);
  expect(pending.maximum).toBe(100);
});
