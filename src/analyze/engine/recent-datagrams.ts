import { u8 } from '../bytes.ts';
import { COPY_ELSEWHERE_NS, COPY_NS, COPY_UNNUMBERED_NS, RECENT_DATAGRAMS } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';

/** What a datagram is to those before it. */
export const SEEN_BEFORE = { no: 0, here: 1, elsewhere: 2 } as const;
export type SeenBefore = (typeof SEEN_BEFORE)[keyof typeof SEEN_BEFORE];

/** Of a hash: the first entry of its pair. */
const MASK = RECENT_DATAGRAMS - 2;

/** Bytes of a datagram's payload that are compared. */
const PAYLOAD_BYTES = 48;

/** Int32s of an entry: hash, place and time, in µs. */
const STRIDE = 4;
const PLACE = 1;
const TIME = 2;

/**
 * Recognises copies of datagrams: the same one captured more than once, at one place (a bridge and its ports, SLL's `any`) or at
 * several. A datagram is the same by its flow, IP identification, length and payload's beginning, within a short time. Fixed memory:
 * RECENT_DATAGRAMS packets in pairs, by their hash; a newer one takes the place of the older one of its pair.
 */
export class RecentDatagrams {
  /** Of the packet last looked at. */
  hash = 0;
  readonly #entries = new Int32Array(RECENT_DATAGRAMS * STRIDE);

  /**
   * Look at a datagram, and remember it.
   * @param key of its flow and direction
   * @param now ns
   */
  look(packet: PacketView, key: number, place: number, now: number): SeenBefore {
    const { identification } = packet;
    const length = packet.payloadLength;
    let hash = Math.imul(key ^ (identification << 8), 0x85ebca6b) ^ payloadHash(packet);
    hash = Math.imul(hash ^ (hash >>> 15) ^ Math.imul(length, 0x9e3779b1), 0xc2b2ae35);
    hash ^= hash >>> 13;
    this.hash = hash;
    const entries = this.#entries;
    const first = (hash & MASK) * STRIDE;
    const time = (now / 1000) | 0;
    const at = entries[first] === hash ? first : first + STRIDE;
    if (entries[at] === hash) {
      const age = Math.abs((time - (entries[at + TIME] as number)) | 0) * 1000;
      if (entries[at + PLACE] !== place) {
        if (age <= COPY_ELSEWHERE_NS) return SEEN_BEFORE.elsewhere;
      } else if (identification !== 0) {
        if (age <= COPY_NS) return SEEN_BEFORE.here;
      } else if (age <= COPY_UNNUMBERED_NS && length > 0) return SEEN_BEFORE.here;
    }
    // The newer one of both stays. One by one, for every datagram comes here: `copyWithin` takes eight times as long.
    if (at !== first) {
      entries[at] = entries[first] as number;
      entries[at + PLACE] = entries[first + PLACE] as number;
      entries[at + TIME] = entries[first + TIME] as number;
    }
    entries[first] = hash;
    entries[first + PLACE] = place;
    entries[first + TIME] = time;
    return SEEN_BEFORE.no;
  }
}

/** Of UDP's payload: its checksum may be absent. Of anything else from its header on: that numbers messages, such as ICMP's echoes. */
function payloadHash({ bytes, cursor, end, udpLength, transportOffset }: PacketView): number {
  let hash = 0;
  const start = udpLength > 0 || transportOffset < 0 ? cursor : transportOffset;
  const until = Math.min(end, start + PAYLOAD_BYTES);
  for (let at = start; at < until; at += 1) hash = Math.imul(hash ^ u8(bytes, at), 0x01000193);
  return hash;
}
