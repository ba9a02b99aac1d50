/**
 * Values by key, of the keys that were added last: of more than `limit` the oldest is forgotten. A key that is set again keeps its age.
 *
 * A Map gives its first key only after it has passed all places of deleted ones, half as many as it has keys on average: 9 µs where
 * there are 65,536. One iterator that goes on from key to key takes 0.1 µs. It holds the tables of the Map since its last step (V8), so
 * there is none while keys are deleted otherwise.
 */
export class RecentMap<Key, Value> {
  readonly #limit: number;
  readonly #values = new Map<Key, Value>();
  /** All keys before it are gone. Undefined before the first key is forgotten, and after others were deleted. */
  #oldest: IterableIterator<[Key, Value]> | undefined;

  /** @param limit keys that are remembered, 1 or more; unless given all are, until they are taken */
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key);
  }

  set(key: Key, value: Value): void {
    this.#values.set(key, value);
    if (this.#values.size > this.#limit) this.takeOldest();
  }

  /** Forget the key that was added first. @returns it with its value; undefined where there is none */
  takeOldest(): readonly [Key, Value] | undefined {
    if (this.#values.size === 0) return undefined;
    this.#oldest ??= this.#values.entries();
    const { value: oldest, done } = this.#oldest.next();
    if (done === true) return undefined;
    this.#values.delete(oldest[0]);
    // An iterator that has come to its end does not go on with keys that are added then.
    if (this.#values.size === 0) this.#oldest = undefined;
    return oldest;
  }

  /** @returns whether it was there */
  delete(key: Key): boolean {
    if (!this.#values.delete(key)) return false;
    this.#oldest = undefined;
    return true;
  }
}
