import { DIRECTION } from '../../analyze/layers/layer.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import { enhancedPacketBytes, writeEnhancedPacket } from '../../wire/pcapng-write.ts';
import { RING_BYTES, RING_PIECE_BYTES } from './limits.ts';

/** Where a kept packet is: an Enhanced Packet Block of ksnoop's own, little-endian. */
export interface KeptBlock {
  readonly view: DataView;
  readonly offset: number;
}

/** Packets of a piece to begin with: their places grow as they come. */
const PIECE_PACKETS = 1024;

class Piece {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  used = 0;
  count = 0;
  offsets = new Int32Array(PIECE_PACKETS);
  flows = new Int32Array(PIECE_PACKETS);

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  /** @returns where its block is to be written */
  take(size: number, flow: number): number {
    if (this.count === this.offsets.length) {
      this.offsets = doubled(this.offsets);
      this.flows = doubled(this.flows);
    }
    const at = this.used;
    this.offsets[this.count] = at;
    this.flows[this.count] = flow;
    this.count += 1;
    this.used += size;
    return at;
  }
}

function doubled(values: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(values.length * 2);
  larger.set(values);
  return larger;
}

/** The last packets, copied, in so many bytes: what is older goes, a piece at a time, and is counted. */
export class PacketRing {
  count = 0;
  bytes = 0;
  dropped = 0;
  readonly #maximum: number;
  readonly #pieces: Piece[] = [];
  #held = 0;

  constructor(maximum = RING_BYTES) {
    this.#maximum = maximum;
  }

  /** Keep a packet. @param flow its flow (FlowInfo.id), -1 for none */
  add(packet: PacketView, flow: number): void {
    const { direction, interfaceId, timeHigh, timeLow, caplen, origlen, bytes, offset } = packet;
    const flags = direction === DIRECTION.inbound ? 1 : direction === DIRECTION.outbound ? 2 : 0;
    const size = enhancedPacketBytes(caplen, flags !== 0);
    let piece = this.#pieces.at(-1);
    if (piece === undefined || piece.used + size > piece.bytes.length) piece = this.#open(size);
    const at = piece.take(size, flow);
    const { bytes: target, view } = piece;
    writeEnhancedPacket(target, view, at, interfaceId, timeHigh, timeLow, caplen, origlen, flags, bytes, offset);
    this.count += 1;
    this.bytes += size;
  }

  /** Where the last `maximum` packets of a flow are, oldest first. */
  ofFlow(flow: number, maximum: number): readonly KeptBlock[] {
    const found: KeptBlock[] = [];
    for (const piece of this.#pieces.toReversed()) {
      for (let index = piece.count - 1; index >= 0 && found.length < maximum; index -= 1) {
        if (piece.flows[index] === flow) found.push({ view: piece.view, offset: piece.offsets[index] as number });
      }
    }
    return found.reverse();
  }

  /** All blocks, oldest first; valid until another packet is added. */
  *blocks(): Generator<Uint8Array> {
    for (const { bytes, offsets, count, used } of this.#pieces) {
      for (let index = 0; index < count; index += 1) {
        const end = index + 1 < count ? offsets[index + 1] : used;
        yield bytes.subarray(offsets[index], end);
      }
    }
  }

  #open(size: number): Piece {
    const length = Math.max(RING_PIECE_BYTES, size);
    let spare: Piece | undefined;
    while (this.#held + length > this.#maximum && this.#pieces.length > 0) {
      const oldest = this.#pieces.shift() as Piece;
      this.count -= oldest.count;
      this.bytes -= oldest.used;
      this.dropped += oldest.count;
      this.#held -= oldest.bytes.length;
      if (oldest.bytes.length === length) spare = oldest;
    }
    const piece = spare ?? new Piece(length);
    piece.used = 0;
    piece.count = 0;
    this.#held += length;
    this.#pieces.push(piece);
    return piece;
  }
}
