import { CaptureTime } from '../../wire/capture-time.ts';
import { directionFlags, packetTypeOffset } from '../../wire/link-type.ts';
import type { Spool } from '../spool/spool.ts';

/** One interface's packets on their way into the spool, and their count. Allocates nothing per packet. */
export class PacketWriter {
  readonly id: number;
  captured = 0;
  /** Found no room in the spool: the client reads too slowly. */
  dropped = 0;
  readonly #spool: Spool;
  readonly #typeOffset: number;
  readonly #time = new CaptureTime();

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
    const time = this.#time;
    time.setSeconds(seconds, nanoseconds);
    const typeAt = this.#typeOffset;
    const flags = typeAt >= 0 && caplen > typeAt ? directionFlags(bytes[offset + typeAt] as number) : 0;
    if (this.#spool.pushPacket(this.id, time.high, time.low, caplen, origlen, flags, bytes, offset)) this.captured += 1;
    else this.dropped += 1;
  }
}
