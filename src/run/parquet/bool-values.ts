import { type EncodedValues, NO_VALUE, Room, type Values } from './values.ts';

/** Truth values: eight in a byte. */
export class BoolValues implements Values {
  readonly #room = new Room();
  #count = 0;
  #trues = 0;

  add(value: unknown): number {
    if (typeof value !== 'boolean') return NO_VALUE;
    const at = this.#count >> 3;
    const bit = this.#count & 7;
    this.#room.fit(at + 1);
    const { bytes } = this.#room;
    if (bit === 0) bytes[at] = 0;
    if (value) {
      bytes[at] = (bytes[at] ?? 0) | (1 << bit);
      this.#trues += 1;
    }
    this.#count += 1;
    return 0;
  }

  encode(): EncodedValues {
    const values = this.#room.bytes.subarray(0, (this.#count + 7) >> 3);
    if (this.#count === 0) return { values };
    return { values, bounds: { min_value: this.#trues === this.#count, max_value: this.#trues > 0 } };
  }

  clear(keep: boolean): void {
    this.#count = 0;
    this.#trues = 0;
    this.#room.rewind(keep);
  }
}
