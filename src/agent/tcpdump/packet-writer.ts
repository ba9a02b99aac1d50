import type { Spool } from '../spool/spool.ts';
import { directionFlags, packetTypeOffset } from './direction.ts';

/** One interface's packets on their way into the spool, and their count. Allocates nothing per packet. */
export class PacketWriter {
  readonly id: number;
  captured = 0;
  /** Found no room in the spool: the client reads too slowly. */
  dropped = 0;
  readonly #spool: Spool;
  readonly #typeOffset: number;
  #second = -1;
  #secondHigh = 0;
  #secondLow = 0;

  /** @param id number of the interface in the stream */
  constructor(spool: Spool, id: number, linkType: number) {
    this.#spool = spool;
    this.id = id;
    this.#typeOffset = packetTypeOffset(linkType);
  }

  write(
    seconds: number,
    nanoseconds: number,
    caplen: number,
    origlen: number,
    bytes: Uint8Array,
    offset: number,
  ): void {
    if (seconds !== this.#second) this.#useSecond(seconds);
    const low = this.#secondLow + nanoseconds;
    const high = this.#secondHigh + (low >= 4_294_967_296 ? 1 : 0);
    const typeAt = this.#typeOffset;
    const flags = typeAt >= 0 && caplen > typeAt ? directionFlags(bytes[offset + typeAt] ?? -1) : 0;
    if (this.#spool.pushPacket(this.id, high, low >>> 0, caplen, origlen, flags, bytes, offset)) this.captured += 1;
    else this.dropped += 1;
  }

  /** seconds × 10⁹ as two 32-bit words, without BigInt: in two halves that a double holds exactly. */
  #useSecond(seconds: number): void {
    const upper = Math.floor(seconds / 65_536) * 1e9;
    const low = (upper % 65_536) * 65_536 + (seconds % 65_536) * 1e9;
    this.#second = seconds;
    this.#secondHigh = Math.floor(upper / 65_536) + Math.floor(low / 4_294_967_296);
    this.#secondLow = low % 4_294_967_296;
  }
}
