import { aborted } from '../aborted.ts';
import type { TargetEvent } from './followed-targets.ts';

/** Looks up, one after the other, what was seen while a capture runs, and emits what joins it. */
export class Lookups<Seen> {
  /** The capture's; before it runs one that never aborts. */
  signal = new AbortController().signal;
  readonly #find: (seen: Seen) => Promise<void>;
  readonly #waiting: Seen[] = [];
  #emit: ((event: TargetEvent) => void) | undefined;
  #finding = false;

  /** @param find looks one up; never rejects */
  constructor(find: (seen: Seen) => Promise<void>) {
    this.#find = find;
  }

  /** What was added is looked up, and what is emitted arrives. */
  get isRunning(): boolean {
    return this.#emit !== undefined;
  }

  /** Look something up when its turn comes; before `follow` it waits for that. */
  add(seen: Seen): void {
    this.#waiting.push(seen);
    void this.#findAll();
  }

  emit(event: TargetEvent): void {
    this.#emit?.(event);
  }

  /** Look up and emit until the signal aborts. Never rejects. */
  async follow(emit: (event: TargetEvent) => void, signal: AbortSignal): Promise<void> {
    this.#emit = emit;
    this.signal = signal;
    void this.#findAll();
    await aborted(signal);
    this.#emit = undefined;
  }

  async #findAll(): Promise<void> {
    if (this.#finding) return;
    this.#finding = true;
    for (let seen = this.#next(); seen !== undefined; seen = this.#next()) await this.#find(seen);
    this.#finding = false;
  }

  #next(): Seen | undefined {
    return this.isRunning ? this.#waiting.shift() : undefined;
  }
}
