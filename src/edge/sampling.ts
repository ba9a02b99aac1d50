import { ipHeaderAt } from '../wire/ip-header.ts';
import { EPB_HEADER_BYTES } from '../wire/pcapng.ts';

/** Bytes that wait for the analysis: past these it cannot keep up, and below those it can take more. */
const BEHIND_BYTES = 12 * 1024 * 1024;
const CAUGHT_UP_BYTES = 1024 * 1024;

/** How soon after a change another one may follow, milliseconds: more work is taken back later than it is given up. */
const LESS_MS = 500;
const MORE_MS = 10_000;

/** At the highest level one of so many connections is analysed: two to the power of the level. */
const LEVEL_MAXIMUM = 6;

/**
 * Chooses the connections that are analysed while there are more packets than the analysis can keep up with: whole ones, by their
 * addresses and ports, the same in both directions and on every node. With each level half of them are left out.
 */
export class Sampling {
  #level = 0;
  #changedAt = Number.NEGATIVE_INFINITY;

  /** One connection of so many is analysed: two to the power of this. */
  get level(): number {
    return this.#level;
  }

  /** @param waiting bytes of packets that wait @param now milliseconds */
  behind(waiting: number, now: number): void {
    if (waiting > BEHIND_BYTES && this.#level < LEVEL_MAXIMUM && now - this.#changedAt >= LESS_MS) this.#change(1, now);
    else if (waiting < CAUGHT_UP_BYTES && this.#level > 0 && now - this.#changedAt >= MORE_MS) this.#change(-1, now);
  }

  /** Whether a packet is of a connection that is left out. @param offset of its Enhanced Packet Block */
  skips(bytes: Uint8Array, offset: number, linkType: number): boolean {
    return this.#level > 0 && (connectionHash(bytes, offset, linkType) & ((1 << this.#level) - 1)) !== 0;
  }

  #change(by: number, now: number): void {
    this.#level += by;
    this.#changedAt = now;
  }
}

/** Of both directions alike; 0, which is never left out, of what has no addresses. */
function connectionHash(bytes: Uint8Array, offset: number, linkType: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const caplen = view.getUint32(20, true);
  const start = offset + EPB_HEADER_BYTES;
  const behind = ipHeaderAt(linkType, bytes, start, caplen);
  if (behind < 0) return 0;
  const at = start + behind;
  const end = start + caplen;
  const isV4 = (bytes[at] ?? 0) >> 4 === 4;
  const [first, width, header] = isV4 ? [at + 12, 4, ((bytes[at] ?? 0) & 15) * 4] : [at + 8, 16, 40];
  if (first + 2 * width > end) return 0;
  let sum = 0;
  // Each address and its port as one end; the sum of both ends is the same for both directions.
  for (const side of [0, 1]) {
    let hash = 0x811c9dc5;
    for (let index = 0; index < width; index += 1) {
      hash = Math.imul(hash ^ (bytes[first + side * width + index] ?? 0), 0x01000193);
    }
    const port = at + header + side * 2;
    if (port + 2 <= end) hash = Math.imul(hash ^ ((bytes[port] ?? 0) << 8) ^ (bytes[port + 1] ?? 0), 0x01000193);
    sum = (sum + (hash ^ (hash >>> 15))) | 0;
  }
  return Math.imul(sum ^ (sum >>> 16), 0x85ebca6b) >>> 16;
}
