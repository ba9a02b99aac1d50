/** Records of which the places are kept: those that the other side has not acknowledged yet. */
const RECORDS_MAXIMUM = 4096;

/** Of one direction: which offset of the decrypted stream belongs to an offset of the encrypted one. */
export class Positions {
  /** Offset behind the last decrypted byte, missing ones included. */
  decrypted = 0;
  /** By record, the offsets behind it. */
  #encryptedEnds: number[] = [];
  #decryptedEnds: number[] = [];
  /** What lies before the records that are kept: offsets behind the last of those forgotten. */
  #forgottenEncrypted = 0;
  #forgottenDecrypted = 0;
  /** Records before this one are acknowledged. */
  #next = 0;

  /** Records up to this offset of the encrypted stream gave `length` more bytes, or lost so many. */
  add(encryptedEnd: number, length: number): void {
    this.decrypted += length;
    if (this.#encryptedEnds.length >= RECORDS_MAXIMUM) this.#forget(Math.max(this.#next, RECORDS_MAXIMUM / 2));
    this.#encryptedEnds.push(encryptedEnd);
    this.#decryptedEnds.push(this.decrypted);
  }

  /** Decrypted bytes in the records that end at or before an offset; -1 where that is not known (any more). */
  decryptedAt(encrypted: number): number {
    if (encrypted < this.#forgottenEncrypted) return -1;
    const ends = this.#encryptedEnds;
    while (this.#next < ends.length && (ends[this.#next] as number) <= encrypted) this.#next += 1;
    while (this.#next > 0 && (ends[this.#next - 1] as number) > encrypted) this.#next -= 1;
    return this.#next === 0 ? this.#forgottenDecrypted : (this.#decryptedEnds[this.#next - 1] as number);
  }

  #forget(count: number): void {
    this.#forgottenEncrypted = this.#encryptedEnds[count - 1] as number;
    this.#forgottenDecrypted = this.#decryptedEnds[count - 1] as number;
    this.#encryptedEnds = this.#encryptedEnds.slice(count);
    this.#decryptedEnds = this.#decryptedEnds.slice(count);
    this.#next = Math.max(0, this.#next - count);
  }
}
