/** Bytes before each gRPC message: a compression flag and its length (gRPC over HTTP2, "Length-Prefixed-Message"). */
const PREFIX = 5;

/** Counts the messages in one direction of a gRPC call, cut anywhere over its DATA frames. */
export class MessageCounter {
  messages = 0;
  #prefix = 0;
  #length = 0;
  #left = 0;

  data(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, end - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      if (this.#prefix > 0) this.#length = this.#length * 256 + (bytes[at] as number);
      this.#prefix += 1;
      at += 1;
      if (this.#prefix < PREFIX) continue;
      this.messages += 1;
      this.#left = this.#length;
      this.#prefix = 0;
      this.#length = 0;
    }
  }

  /** Bytes that were not captured; within a message they change nothing. */
  gap(length: number): void {
    this.#left = Math.max(0, this.#left - length);
  }
}
