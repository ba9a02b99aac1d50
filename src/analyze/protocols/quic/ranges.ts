/** Runs of numbers that are remembered apart; with more, the lowest two become one. */
const RUNS_MAXIMUM = 256;

/** A set of numbers that mostly come in order: packet numbers that were opened, streams that have ended. */
export class Ranges {
  /** First and last number of each run, in their order. */
  readonly #runs: number[] = [];

  /** @returns false where it was there before */
  add(number: number): boolean {
    const runs = this.#runs;
    let at = runs.length - 2;
    while (at >= 0 && (runs[at] as number) > number) at -= 2;
    // The run at `at` begins before it, or there is none.
    if (at >= 0 && number <= (runs[at + 1] as number)) return false;
    const joinsBefore = at >= 0 && (runs[at + 1] as number) + 1 === number;
    const joinsAfter = at + 2 < runs.length && (runs[at + 2] as number) - 1 === number;
    if (joinsBefore && joinsAfter) runs.splice(at + 1, 2);
    else if (joinsBefore) runs[at + 1] = number;
    else if (joinsAfter) runs[at + 2] = number;
    else {
      runs.splice(at + 2, 0, number, number);
      if (runs.length > 2 * RUNS_MAXIMUM) runs.splice(1, 2);
    }
    return true;
  }

  has(number: number): boolean {
    const runs = this.#runs;
    for (let at = runs.length - 2; at >= 0; at -= 2) {
      if ((runs[at] as number) <= number) return number <= (runs[at + 1] as number);
    }
    return false;
  }

  /** Whether every number from `first` on, up to the greatest that is there, is there. */
  isWholeFrom(first: number): boolean {
    const runs = this.#runs;
    return runs.length === 0 || (runs[runs.length - 2] as number) <= first || (runs[runs.length - 1] as number) < first;
  }
}
