import { MEMORY_RESERVE, SPOOL_FLOOR, SPOOL_GRANT, STARTING_MS } from '../limits.ts';

/** Where it is known how many bytes of memory are left; undefined without a limit. */
export interface FreeMemory {
  free(): number | undefined;
}

/**
 * The memory that packets and events of slow clients take, of all sessions of this process. Of what is left in the container
 * above a reserve, each session that wants more than a little may take an equal part.
 */
export class MemoryBudget {
  readonly #memory: FreeMemory;
  readonly #shares = new Set<MemoryShare>();
  /** When captures were admitted that may not have taken their memory yet, milliseconds. */
  #admitted: number[] = [];

  constructor(memory: FreeMemory) {
    this.#memory = memory;
  }

  /** Bytes that are left above the reserve; infinite without a limit. */
  get available(): number {
    return (this.#memory.free() ?? Number.POSITIVE_INFINITY) - MEMORY_RESERVE;
  }

  /**
   * Admit one more capture, or session, that takes some memory soon.
   * @returns false when there is too little for it and for those that were admitted just before
   */
  admit(bytes: number): boolean {
    const now = performance.now();
    this.#admitted = this.#admitted.filter((at) => now - at < STARTING_MS);
    if (this.available < bytes * (this.#admitted.length + 1)) return false;
    this.#admitted.push(now);
    return true;
  }

  /** One session's part. */
  open(): MemoryShare {
    const share: MemoryShare = new MemoryShare(
      (bytes) => this.#grants(share, bytes),
      () => this.#shares.delete(share),
    );
    this.#shares.add(share);
    return share;
  }

  #grants(share: MemoryShare, bytes: number): boolean {
    const { available } = this;
    if (available < bytes) return false;
    const own = share.held;
    let held = own;
    let wanting = 1;
    for (const other of this.#shares) {
      const others = other === share ? 0 : other.held;
      if (others <= 2 * SPOOL_FLOOR) continue;
      held += others;
      wanting += 1;
    }
    return own + bytes <= Math.max(SPOOL_GRANT, (available + held) / wanting);
  }
}

/** One session's part of the memory. */
export class MemoryShare {
  readonly #grants: (bytes: number) => boolean;
  readonly #closed: () => void;
  readonly #holders: (() => number)[] = [];

  constructor(grants: (bytes: number) => boolean, closed: () => void) {
    this.#grants = grants;
    this.#closed = closed;
  }

  /** Have what a part of the session holds count as the session's; `held` gives its bytes. */
  count(held: () => number): void {
    this.#holders.push(held);
  }

  /** Bytes that the session holds. */
  get held(): number {
    let sum = 0;
    for (const held of this.#holders) sum += held();
    return sum;
  }

  /** Whether the session may take so many bytes more. */
  grants(bytes: number): boolean {
    return this.#grants(bytes);
  }

  close(): void {
    this.#closed();
    this.#holders.length = 0;
  }
}
