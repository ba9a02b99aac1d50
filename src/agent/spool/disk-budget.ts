/** The disk that packets of slow clients take, of all sessions of this process: each may take an equal part, up to a bound. */
export class DiskBudget {
  readonly #total: number;
  readonly #each: number;
  #used = 0;
  #files = 0;

  /** @param total bytes of all sessions, and `each` of one at most */
  constructor(total: number, each: number) {
    this.#total = total;
    this.#each = each;
  }

  /** One more session's file. */
  open(): void {
    this.#files += 1;
  }

  /** A session's file is gone; `held` bytes of it had been taken. */
  close(held: number): void {
    this.#files -= 1;
    this.#used -= held;
  }

  /** Take bytes for a session that has taken `held` before. @returns false when they are too many */
  take(bytes: number, held: number): boolean {
    const fair = Math.min(this.#each, this.#total / Math.max(1, this.#files));
    if (held + bytes > fair || this.#used + bytes > this.#total) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}
