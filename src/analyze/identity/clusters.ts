import { CLUSTERS_MAXIMUM } from '../limits.ts';

/**
 * The clusters that the interfaces and names of a capture are of, as small numbers in the order in which they are met. 0 is for
 * what names none: a capture of one cluster, or of no cluster.
 */
export class Clusters {
  readonly #names = [''];
  readonly #numbers = new Map([['', 0]]);

  /** The number of a cluster. Those beyond CLUSTERS_MAXIMUM go by one number, which has no names. */
  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#names.length > CLUSTERS_MAXIMUM) return OVERFLOW;
    this.#numbers.set(name, this.#names.length);
    this.#names.push(name);
    return this.#names.length - 1;
  }

  /** The name of a number; empty for 0. */
  name(number: number): string {
    return this.#names[number] ?? 'other clusters';
  }
}

const OVERFLOW = CLUSTERS_MAXIMUM + 1;
