/** What an entry counts beside its bytes (RFC 7541 section 4.1, RFC 9204 section 3.2.1). */
const ENTRY_OVERHEAD = 32;
/** Evicted entries that stay in front of the others, at least: taking each out of an array copies what is behind it. */
const COMPACT = 1024;

export type TableEntry = readonly [name: string, value: string];

/** The dynamic table of HPACK (RFC 7541 section 4) and QPACK (RFC 9204 section 3.2): of more than fits the oldest entries go. */
export class DynamicTable {
  /** Oldest first, behind those that were evicted. */
  #entries: (TableEntry | undefined)[] = [];
  #evicted = 0;
  #size = 0;
  #capacity: number;

  /** @param capacity bytes, as the RFCs count them */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Entries in the table. */
  get length(): number {
    return this.#entries.length - this.#evicted;
  }

  /** Their bytes, as the RFCs count them. */
  get size(): number {
    return this.#size;
  }

  setCapacity(capacity: number): void {
    this.#capacity = capacity;
    this.#evict(0);
  }

  /** Of an entry that is larger than the table nothing stays, and nothing of the others. */
  add(name: string, value: string): void {
    const size = name.length + value.length + ENTRY_OVERHEAD;
    this.#evict(size);
    if (size > this.#capacity) return;
    this.#entries.push([name, value]);
    this.#size += size;
  }

  /** @param index 0 for the newest entry @returns undefined for one that is not in the table */
  at(index: number): TableEntry | undefined {
    return index < 0 ? undefined : this.#entries[this.#entries.length - 1 - index];
  }

  clear(): void {
    this.#entries = [];
    this.#evicted = 0;
    this.#size = 0;
  }

  #evict(coming: number): void {
    while (this.#size + coming > this.#capacity) {
      const oldest = this.#entries[this.#evicted];
      if (oldest === undefined) return;
      this.#entries[this.#evicted] = undefined;
      this.#evicted += 1;
      this.#size -= oldest[0].length + oldest[1].length + ENTRY_OVERHEAD;
      if (this.#evicted >= COMPACT && this.#evicted > this.#entries.length / 2) {
        this.#entries = this.#entries.slice(this.#evicted);
        this.#evicted = 0;
      }
    }
  }
}
