import { grouped } from '../../view/units.ts';
import { arrayAt, invalid, type JsonObject } from '../../wire/guard.ts';

/** Parts that saved summaries may be the sum of, all together: their sum can be read again. */
const PARTS_MAXIMUM = 100_000;
/** Different numbers of parts, of sets of captures that were divided differently. */
const DIVISIONS = 16;
/** Parts that a message names. */
const NAMED = 8;

/** Which parts (`--shard I/N`) saved summaries are of: how often each one came, by N and I. */
export class Parts {
  readonly #counts = new Map<number, Map<number, number>>();
  #total = 0;

  /**
   * The parts of a saved summary; none where it is of whole captures.
   * @throws KsnoopError INVALID_MESSAGE
   */
  add(document: JsonObject): void {
    const parts = arrayAt(document, 'parts');
    this.#total += parts.length;
    if (this.#total > PARTS_MAXIMUM) {
      throw invalid('saved summary', `has more than ${PARTS_MAXIMUM} parts, with those before it`);
    }
    for (const part of parts) {
      const [, first = '', second = ''] = typeof part === 'string' ? (/^(\d{1,6})-of-(\d{1,6})$/.exec(part) ?? []) : [];
      const [index, of] = [Number(first), Number(second)];
      if (second === '' || index >= of) throw invalid('saved summary', 'has no usable parts');
      const counts = this.#counts.get(of) ?? new Map<number, number>();
      this.#counts.set(of, counts);
      if (this.#counts.size > DIVISIONS)
        throw invalid('saved summary', `is of more than ${DIVISIONS} numbers of parts`);
      counts.set(index, (counts.get(index) ?? 0) + 1);
    }
  }

  /** For the sum of them: `3-of-16`. */
  list(): string[] {
    return [...this.#counts].flatMap(([of, counts]) =>
      [...counts].flatMap(([index, count]) => Array.from({ length: count }, () => `${index}-of-${of}`)),
    );
  }

  /** What is missing, and what may be counted more than once: sentences. */
  warnings(): string[] {
    return [...this.#counts].flatMap(([of, counts]) => {
      const all = Array.from({ length: of }, (_, index) => index);
      const missing = all.filter((index) => !counts.has(index));
      const most = [...counts.values()].reduce((one, other) => Math.max(one, other), 0);
      const again = missing.length === 0 ? all.filter((index) => counts.get(index) !== most) : [];
      const twice = again.length === 0 ? [] : all.filter((index) => counts.get(index) === most);
      return [
        ...(missing.length === 0 ? [] : [`${named(missing, of)} missing: the sum is not complete.`]),
        ...(twice.length === 0 ? [] : [`${named(twice, of)} there more often than the others.`]),
      ];
    });
  }
}

/** The subject of a sentence, with parts as `--shard` has them: `Part 1/3 is`. */
function named(indexes: readonly number[], of: number): string {
  const more = indexes.length > NAMED ? ` and ${grouped(indexes.length - NAMED)} more` : '';
  const parts = indexes.slice(0, NAMED).map((index) => `${index}/${of}`);
  return `${indexes.length === 1 ? 'Part' : 'Parts'} ${parts.join(', ')}${more} ${indexes.length === 1 ? 'is' : 'are'}`;
}
