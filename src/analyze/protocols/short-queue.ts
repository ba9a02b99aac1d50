/** A queue that mostly holds one item or none: then it needs no array, which V8 would allocate anew for each item. */
export class ShortQueue<T> {
  #first: T | undefined;
  /** What stands behind the first one. Made when it is needed. */
  #others: T[] | undefined;

  get length(): number {
    if (this.#first === undefined) return 0;
    return this.#others === undefined ? 1 : 1 + this.#others.length;
  }

  get first(): T | undefined {
    return this.#first;
  }

  get last(): T | undefined {
    const others = this.#others;
    return others === undefined || others.length === 0 ? this.#first : others[others.length - 1];
  }

  /** @param index 0 for the oldest */
  at(index: number): T | undefined {
    return index === 0 ? this.#first : this.#others?.[index - 1];
  }

  push(item: T): void {
    if (this.#first === undefined) this.#first = item;
    else if (this.#others === undefined) this.#others = [item];
    else this.#others.push(item);
  }

  /** Take out the oldest; undefined when there is none. */
  shift(): T | undefined {
    const first = this.#first;
    this.#first = this.#others?.shift();
    return first;
  }
}
