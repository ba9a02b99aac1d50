import type { Call } from './call.ts';

/** Calls shorter than 2 ** SHORTEST ns are filed alike: 1 ms. */
const SHORTEST = 20;
/** Calls longer than 2 ** LONGEST ns are cut: 39 hours. */
const LONGEST = 47;
/** Numbers of stretches within one level. */
const STRETCHES = 2 ** 34;

/**
 * Calls that one host served at one place, by when: those that were open at a time are found without looking at others. Each
 * level has stretches of twice the length of the one below; a call is in one or two stretches of the level that fits its duration.
 */
export class ServedCalls {
  readonly #stretches = new Map<number, Call[]>();
  /** Calls of each level. */
  readonly #levels = new Uint32Array(LONGEST + 1);
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** @param start, end when it was open, ns since the first packet */
  add(call: Call, start: number, end: number): void {
    const level = levelOf(start, end);
    this.#levels[level] = (this.#levels[level] as number) + 1;
    this.#count += 1;
    const last = stretchOf(level, end);
    for (let number = stretchOf(level, start); number <= last; number += 1) {
      const calls = this.#stretches.get(number);
      if (calls === undefined) this.#stretches.set(number, [call]);
      else calls.push(call);
    }
  }

  /** @param start, end as it was added with */
  remove(call: Call, start: number, end: number): void {
    const level = levelOf(start, end);
    const last = stretchOf(level, end);
    let isKnown = false;
    for (let number = stretchOf(level, start); number <= last; number += 1) {
      const calls = this.#stretches.get(number);
      const at = calls?.indexOf(call) ?? -1;
      if (calls === undefined || at < 0) continue;
      isKnown = true;
      calls.splice(at, 1);
      if (calls.length === 0) this.#stretches.delete(number);
    }
    if (!isKnown) return;
    this.#levels[level] = (this.#levels[level] as number) - 1;
    this.#count -= 1;
  }

  /** Calls that may have been open at a time, each once; some of them were not. @param time ns */
  *around(time: number): Generator<Call> {
    for (let level = SHORTEST; level <= LONGEST; level += 1) {
      if (this.#levels[level] === 0) continue;
      for (const call of this.#stretches.get(stretchOf(level, time)) ?? []) yield call;
    }
  }
}

function levelOf(start: number, end: number): number {
  let level = SHORTEST;
  for (let length = 2 ** SHORTEST; length < end - start && level < LONGEST; length *= 2) level += 1;
  return level;
}

function stretchOf(level: number, time: number): number {
  return level * STRETCHES + Math.min(STRETCHES - 1, Math.max(0, Math.floor(time / 2 ** level)));
}
