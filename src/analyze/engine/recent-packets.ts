import { u8 } from '../bytes.ts';
import { COPY_ELSEWHERE_NS, COPY_NS, COPY_UNNUMBERED_NS, RECENT_PACKETS } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';

/** What a packet is to those before it. */
export const SEEN_BEFORE = { no: 0, here: 1, elsewhere: 2 } as const;
export type SeenBefore = (typeof SEEN_BEFORE)[keyof typeof SEEN_BEFORE];

const MASK = RECENT_PACKETS - 1;

/** Bytes of a datagram's payload that are compared. */
const PAYLOAD_BYTES = 48;

/**
 * Recognises copies: the same packet captured more than once, at one place (a bridge and its ports, SLL's `any`) or at
 * several. A packet is the same by its flow, sequence and acknowledgment numbers, flags, window, length, IP identification
 * and checksum, within a short time. Fixed memory: RECENT_PACKETS packets, newer ones take the place of older ones.
 */
export class RecentPackets {
  /** Of the packet last looked at. */
  hash = 0;
  readonly #hashes = new Int32Array(RECENT_PACKETS);
  readonly #places = new Int32Array(RECENT_PACKETS);
  readonly #times = new Float64Array(RECENT_PACKETS);

  /**
   * Look at a TCP or UDP packet, and remember it.
   * @param key of its flow and direction
   * @param checksum of its TCP or UDP header
   */
  look(packet: PacketView, key: number, checksum: number, place: number, now: number): SeenBefore {
    let hash = Math.imul(key ^ packet.tcpSequence, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15) ^ packet.tcpAcknowledgment, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 13) ^ ((packet.tcpFlags << 16) | packet.tcpWindow), 0x27d4eb2f);
    hash = Math.imul(hash ^ (hash >>> 15) ^ ((packet.identification << 16) | checksum), 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 13) ^ packet.payloadLength, 0x85ebca6b);
    if (packet.udpLength > 0) hash ^= payloadHash(packet);
    hash ^= hash >>> 16;
    this.hash = hash;
    const at = (hash ^ (hash >>> 11)) & MASK;
    if (this.#hashes[at] === hash) {
      const age = Math.abs(now - (this.#times[at] as number));
      if (this.#places[at] !== place) {
        if (age <= COPY_ELSEWHERE_NS) return SEEN_BEFORE.elsewhere;
      } else if (packet.identification !== 0) {
        if (age <= COPY_NS) return SEEN_BEFORE.here;
      } else if (age <= COPY_UNNUMBERED_NS && packet.payloadLength > 0) return SEEN_BEFORE.here;
    }
    this.#hashes[at] = hash;
    this.#places[at] = place;
    this.#times[at] = now;
    return SEEN_BEFORE.no;
  }
}

/** Of a datagram's payload: its checksum may be absent. */
function payloadHash({ bytes, cursor, end }: PacketView): number {
  let hash = 0;
  const until = Math.min(end, cursor + PAYLOAD_BYTES);
  for (let at = cursor; at < until; at += 1) hash = Math.imul(hash ^ u8(bytes, at), 0x01000193);
  return hash;
}
