import { RING_MINIMUM_KIB, RINGS_OF_ALL_KIB } from '../limits.ts';

/** Kernel memory of the rings of all sessions of a process, which no container's limit covers. */
export class RingBudget {
  #used = 0;

  /** @returns the size that one more ring gets, KiB: a quarter at most of what is left, so that more find room */
  take(wantedKib: number): number {
    const fair = Math.floor((RINGS_OF_ALL_KIB - this.#used) / 4);
    const size = Math.max(RING_MINIMUM_KIB, Math.min(wantedKib, fair));
    this.#used += size;
    return size;
  }

  give(sizeKib: number): void {
    this.#used -= sizeKib;
  }
}
