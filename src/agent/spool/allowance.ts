import { MEMORY_STALE_MS, SPOOL_GRANT } from '../limits.ts';

export interface AllowanceOptions {
  /** Bytes that may be held without a grant. */
  readonly floor: number;
  /** Bytes that are held now. */
  readonly held: () => number;
  /** Bytes of memory that each granted byte takes, 1 by default: 2 where the kernel keeps a copy. */
  readonly cost?: number;
  /** Whether so many bytes more may be taken. */
  readonly grant: (bytes: number) => boolean;
}

/** The bytes that one part of a session may hold: a floor, and more in steps of SPOOL_GRANT that are granted. */
export class Allowance {
  readonly #floor: number;
  readonly #held: () => number;
  readonly #cost: number;
  readonly #grant: (bytes: number) => boolean;
  #granted: number;
  #refusedAt = Number.NEGATIVE_INFINITY;

  constructor({ floor, held, cost = 1, grant }: AllowanceOptions) {
    this.#floor = floor;
    this.#held = held;
    this.#cost = cost;
    this.#grant = grant;
    this.#granted = floor;
  }

  /** Bytes that may be held by now. */
  get granted(): number {
    return this.#granted;
  }

  /** Bytes of memory that may be taken without a further grant. */
  get promised(): number {
    const held = this.#held();
    return Math.max(0, this.#floor - held) + Math.max(0, this.#granted - Math.max(this.#floor, held)) * this.#cost;
  }

  /**
   * Whether so many bytes may be held in all: asks for what is missing, step by step. After a refusal the answer stays
   * until the memory is read again, for it is asked for every packet.
   */
  admits(bytes: number): boolean {
    while (bytes > this.#granted) {
      const now = performance.now();
      if (now - this.#refusedAt < MEMORY_STALE_MS) return false;
      if (!this.#grant(SPOOL_GRANT * this.#cost)) {
        this.#refusedAt = now;
        return false;
      }
      this.#granted += SPOOL_GRANT;
    }
    return true;
  }

  /** Less is held than before: what is granted and not used, but for one step, is given back. */
  giveBack(): void {
    const used = this.#held();
    this.#granted = Math.min(this.#granted, used <= this.#floor ? this.#floor : used + SPOOL_GRANT);
  }
}
