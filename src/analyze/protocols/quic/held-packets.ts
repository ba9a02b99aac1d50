import type { PacketBytes } from './protected-connection.ts';
import type { ArrivalTime, Reserve } from './received-stream.ts';

/** Bytes of one connection that are held, and what a packet takes besides its bytes. */
const HELD_BYTES = 256 * 1024;
const PACKET_BYTES = 200;

/** Packets that cannot be read yet, in their order; bounded in bytes. */
export class HeldPackets {
  readonly #reserve: Reserve;
  #packets: { readonly packet: PacketBytes; readonly arrival: ArrivalTime }[] = [];
  #bytes = 0;

  /** @param reserve memory of all connections together */
  constructor(reserve: Reserve) {
    this.#reserve = reserve;
  }

  /** @returns false where there is no room */
  add({ bytes, datagram, start, number, end, side, level }: PacketBytes, arrival: ArrivalTime): boolean {
    const size = end - datagram + PACKET_BYTES;
    if (this.#bytes + size > HELD_BYTES || !this.#reserve(size)) return false;
    this.#bytes += size;
    const moved = { datagram: 0, start: start - datagram, number: number - datagram, end: end - datagram };
    this.#packets.push({ packet: { ...moved, bytes: bytes.slice(datagram, end), side, level }, arrival });
    return true;
  }

  /** Hand over all of them. */
  take(each: (packet: PacketBytes, arrival: ArrivalTime) => void): void {
    const packets = this.#packets;
    this.clear();
    for (const { packet, arrival } of packets) each(packet, arrival);
  }

  clear(): void {
    this.#reserve(-this.#bytes);
    this.#bytes = 0;
    this.#packets = [];
  }
}
