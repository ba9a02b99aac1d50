/** What an entry counts beside its bytes (RFC 9204 section 3.2.1). */
const ENTRY_OVERHEAD = 32;
/** Larger tables are not believed. */
export const TABLE_MAXIMUM = 1024 * 1024;

export type QpackEntry = readonly [name: string, value: string];

/** QPACK's dynamic table of one direction (RFC 9204 section 3.2); entries have absolute numbers, from 0. */
export class QpackTable {
  /** Entries inserted so far. */
  inserted = 0;
  /** What the other side allows at most (SETTINGS_QPACK_MAX_TABLE_CAPACITY); undefined where that was not seen. */
  maximum: number | undefined;
  #capacity = 0;
  #size = 0;
  /** Oldest first. */
  #entries: QpackEntry[] = [];

  setCapacity(capacity: number): void {
    this.#capacity = capacity;
    this.#evict(0);
  }

  add(name: string, value: string): void {
    const size = name.length + value.length + ENTRY_OVERHEAD;
    this.#evict(size);
    this.inserted += 1;
    // More than fits is an error of the encoder's: the table is then empty.
    if (size > this.#capacity) return;
    this.#entries.push([name, value]);
    this.#size += size;
  }

  /** @param index absolute @returns undefined for an entry that is not in the table */
  at(index: number): QpackEntry | undefined {
    return this.#entries[index - this.inserted + this.#entries.length];
  }

  #evict(coming: number): void {
    while (this.#size + coming > this.#capacity) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) return;
      this.#size -= oldest[0].length + oldest[1].length + ENTRY_OVERHEAD;
    }
  }
}
