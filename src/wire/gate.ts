/** Lets a number of tasks run at a time; the others wait in their order. */
export class Gate {
  readonly #places: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Run a task when its turn comes. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#places) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    } else this.#inside += 1;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // The place is handed on.
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}
