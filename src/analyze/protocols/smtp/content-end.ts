const CR = 13;
const LF = 10;
const DOT = 46;

/** By how much of CRLF "." CRLF has come: the byte that comes next. */
const ENDING = [CR, LF, DOT, CR, LF] as const;

/** Finds the line with nothing but a dot that ends a message (RFC 5321, section 4.1.1.4), however the bytes are cut. */
export class ContentEnd {
  /** How much of the ending has come. A message may be empty: its beginning counts as a line's. */
  #matched = 2;

  begin(): void {
    this.#matched = 2;
  }

  /** Bytes are missing: what comes next may be anywhere. */
  gap(): void {
    this.#matched = 0;
  }

  /** @returns behind the end of the message; -1 where it goes on */
  find(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte === ENDING[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === ENDING.length) return at + 1;
      } else this.#matched = byte === CR ? 1 : 0;
    }
    return -1;
  }
}
