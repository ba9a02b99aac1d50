/** The last things of many, by numbers that never change their meaning. */
export class Ring<T> {
  /** The oldest that is kept; the next that comes. */
  first = 0;
  end = 0;
  readonly #capacity: number;
  readonly #items: (T | undefined)[] = [];
  #limit: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#limit = capacity;
  }

  /** Keep fewer from now on, or again as many as there is room for. */
  keepAtMost(count: number): void {
    this.#limit = Math.min(count, this.#capacity);
    this.#letGo();
  }

  push(item: T): void {
    this.#items[this.end % this.#capacity] = item;
    this.end += 1;
    if (this.end - this.first > this.#limit) this.#letGo();
  }

  at(number: number): T | undefined {
    return number >= this.first && number < this.end ? this.#items[number % this.#capacity] : undefined;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let number = this.first; number < this.end; number += 1) yield this.at(number) as T;
  }

  /** As it is now, whatever comes. */
  copy(): Ring<T> {
    const copy = new Ring<T>(this.#capacity);
    for (let number = this.first; number < this.end; number += 1) {
      copy.#items[number % this.#capacity] = this.at(number) as T;
    }
    copy.first = this.first;
    copy.end = this.end;
    return copy;
  }

  #letGo(): void {
    for (; this.end - this.first > this.#limit; this.first += 1) {
      // Where the ring is full the place has its next tenant already.
      if (this.end - this.first <= this.#capacity) this.#items[this.first % this.#capacity] = undefined;
    }
  }
}
