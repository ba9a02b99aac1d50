import { expect, it } from 'vitest';
import { QuestionTable } from '../../../../src/analyze/protocols/dns/question.ts';
import { Random } from '../../../support/random.ts';

/** A name of one label as it is sent, and the type A behind it. */
function asked(index: number): Uint8Array {
  const label = Buffer.from(`host-${index}`);
  return Buffer.concat([Buffer.of(label.length), label, Buffer.of(0, 0, 1)]);
}

it('five hundred questions that take turns are each made once, wherever their hashes put them', () => {
  const messages = Array.from({ length: 500 }, (_, index) => asked(index));
  for (let seed = 1; seed <= 25; seed += 1) {
    const random = new Random(seed);
    const table = new QuestionTable();
    const hashes = messages.map(() => random.below(2 ** 32));
    const round = () =>
      messages.map((message, index) => {
        const end = message.length - 2;
        const question = table.get(message, 0, end, message, end, hashes[index] ?? 0, 0);
        expect(question.label).toBe(`A host-${index}`);
        return question;
      });
    const first = round();
    expect(round().filter((question, index) => question !== first[index])).toEqual([]);
  }
});
