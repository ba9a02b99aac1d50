import { DIRECTION } from '../../analyze/layers/layer.ts';
import type { PacketView } from '../../analyze/packet.ts';
import { enhancedPacketBytes, writeEnhancedPacket } from '../../wire/pcapng-write.ts';
import { RING_BYTES, RING_PIECE_BYTES } from './limits.ts';

/** Packets of a piece to begin with: their places grow as they come. */
const PIECE_PACKETS = 1024;

/** Packets as they will stand in a file, one Enhanced Packet Block behind the other. */
export class RingPiece {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  used = 0;
  count = 0;
  /** Where each packet's block begins, and its flow (FlowInfo.id), -1 for none. */
  offsets = new Int32Array(PIECE_PACKETS);
  flows = new Int32Array(PIECE_PACKETS);

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  add(packet: PacketView, size: number, flags: number, flow: number): void {
    if (this.count === this.offsets.length) this.#grow();
    this.offsets[this.count] = this.used;
    this.flows[this.count] = flow;
    this.count += 1;
    const { interfaceId, timeHigh, timeLow, caplen, origlen, bytes, offset } = packet;
    writeEnhancedPacket(
      this.bytes,
      this.view,
      this.used,
      interfaceId,
      timeHigh,
      timeLow,
      caplen,
      origlen,
      flags,
      bytes,
      offset,
    );
    this.used += size;
  }

  clear(): void {
    this.used = 0;
    this.count = 0;
  }

  #grow(): void {
    const [offsets, flows] = [this.offsets, this.flows];
    this.offsets = new Int32Array(offsets.length * 2);
    this.offsets.set(offsets);
    this.flows = new Int32Array(flows.length * 2);
    this.flows.set(flows);
  }
}

/** The last packets, in so many octets: what is older goes, a piece at a time, and is counted. */
export class PacketRing {
  /** Oldest first. */
  pieces: RingPiece[] = [];
  count = 0;
  bytes = 0;
  dropped = 0;
  readonly #maximum: number;
  #held = 0;

  constructor(maximum = RING_BYTES) {
    this.#maximum = maximum;
  }

  /** Take a copy of a packet. @param flow its flow, -1 for none */
  add(packet: PacketView, flow: number): void {
    const { direction } = packet;
    const flags = direction === DIRECTION.inbound ? 1 : direction === DIRECTION.outbound ? 2 : 0;
    const size = enhancedPacketBytes(packet.caplen, flags !== 0);
    let piece = this.pieces.at(-1);
    if (piece === undefined || piece.used + size > piece.bytes.length) piece = this.#open(size);
    piece.add(packet, size, flags, flow);
    this.count += 1;
    this.bytes += size;
  }

  /** Where the last `maximum` packets of a flow are, oldest first. */
  ofFlow(flow: number, maximum: number): { piece: RingPiece; offset: number }[] {
    const found: { piece: RingPiece; offset: number }[] = [];
    for (let at = this.pieces.length - 1; at >= 0; at -= 1) {
      const piece = this.pieces[at] as RingPiece;
      for (let index = piece.count - 1; index >= 0; index -= 1) {
        if (piece.flows[index] !== flow) continue;
        found.push({ piece, offset: piece.offsets[index] as number });
        if (found.length >= maximum) return found.reverse();
      }
    }
    return found.reverse();
  }

  #open(size: number): RingPiece {
    const length = Math.max(RING_PIECE_BYTES, size);
    let spare: RingPiece | undefined;
    while (this.#held + length > this.#maximum && this.pieces.length > 0) {
      const oldest = this.pieces.shift() as RingPiece;
      this.count -= oldest.count;
      this.bytes -= oldest.used;
      this.dropped += oldest.count;
      this.#held -= oldest.bytes.length;
      if (oldest.bytes.length === length) spare = oldest;
    }
    spare?.clear();
    const piece = spare ?? new RingPiece(length);
    this.#held += length;
    this.pieces.push(piece);
    return piece;
  }
}
