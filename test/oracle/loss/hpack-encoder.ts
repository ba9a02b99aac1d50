/** A header field, and whether it is put in the table. */
export type Field = readonly [name: string, value: string, indexed: boolean];

const ENTRY_OVERHEAD = 32;
const DEFAULT_BYTES = 4096;
const STATIC_ENTRIES = 61;
/** Of the static table (RFC 7541, appendix A) what these conversations use. */
const STATIC: Readonly<Record<string, number>> = {
  ':authority': 1,
  ':method POST': 3,
  ':path': 4,
  ':scheme http': 6,
  ':status 200': 8,
  'content-type': 31,
};

/** HPACK (RFC 7541) of one direction with a dynamic table, without Huffman. */
export class HpackEncoder {
  readonly #maximum: number;
  /** Newest first. */
  readonly #entries: (readonly [name: string, value: string])[] = [];
  #size = 0;
  #announced: boolean;

  /** @param maximum bytes of its table, at most the 4,096 that need no agreement */
  constructor(maximum: number) {
    this.#maximum = maximum;
    this.#announced = maximum === DEFAULT_BYTES;
  }

  /** The header block of these fields. */
  encode(fields: readonly Field[]): Buffer {
    const parts: Buffer[] = [];
    if (!this.#announced) parts.push(integer(0x20, 5, this.#maximum));
    this.#announced = true;
    for (const [name, value, indexed] of fields) {
      const whole = this.#find(name, value);
      if (whole > 0) {
        parts.push(integer(0x80, 7, whole));
        continue;
      }
      const index = this.#find(name);
      parts.push(indexed ? integer(0x40, 6, index) : integer(0, 4, index));
      if (index === 0) parts.push(text(name));
      parts.push(text(value));
      if (indexed) this.#add(name, value);
    }
    return Buffer.concat(parts);
  }

  /** @returns the index of a field, or of its name alone; 0 for none */
  #find(name: string, value?: string): number {
    const fixed = STATIC[value === undefined ? name : `${name} ${value}`];
    if (fixed !== undefined) return fixed;
    const at = this.#entries.findIndex((entry) => entry[0] === name && (value === undefined || entry[1] === value));
    return at < 0 ? 0 : STATIC_ENTRIES + 1 + at;
  }

  #add(name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_OVERHEAD;
    while (this.#entries.length > 0 && this.#size + bytes > this.#maximum) {
      const [oldName, oldValue] = this.#entries.pop() as readonly [string, string];
      this.#size -= oldName.length + oldValue.length + ENTRY_OVERHEAD;
    }
    if (bytes > this.#maximum) return;
    this.#entries.unshift([name, value]);
    this.#size += bytes;
  }
}

/** An integer behind the bits of its kind (section 5.1). */
function integer(kind: number, bits: number, value: number): Buffer {
  const mask = 2 ** bits - 1;
  if (value < mask) return Buffer.of(kind | value);
  const bytes = [kind | mask];
  let left = value - mask;
  for (; left >= 128; left >>= 7) bytes.push(128 | (left & 127));
  return Buffer.of(...bytes, left);
}

function text(value: string): Buffer {
  return Buffer.concat([integer(0, 7, value.length), Buffer.from(value)]);
}
