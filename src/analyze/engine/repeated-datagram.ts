import { i32, u8 } from '../bytes.ts';
import { DATAGRAM_I32, FLOW_F64 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { COPY_NS } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';

/** In place of an identification: two different datagrams had the same one, so it identifies none. */
const IDENTIFIES_NOTHING = -1;

/**
 * Whether a UDP datagram is the copy of the one before it of its flow and direction, captured twice at one place (a mirrored port):
 * the same IP identification within COPY_NS, and the same bytes, as far as a digest of some of them tells. One without an
 * identification is never called a copy: senders repeat what they send (statsd). Remembers the datagram.
 * @param base position of the flow in its table
 * @param now ns
 */
export function isRepeated(
  { ints, doubles }: FlowTable,
  base: number,
  direction: number,
  packet: PacketView,
  now: number,
): boolean {
  const { identification } = packet;
  const own = base + DATAGRAM_I32.identification + direction;
  const last = ints[own] as number;
  if (identification === 0 || packet.udpLength === 0 || last === IDENTIFIES_NOTHING) return false;
  const digest = digestOf(packet);
  const before = ints[base + DATAGRAM_I32.digest + direction];
  ints[own] = identification + 1;
  ints[base + DATAGRAM_I32.digest + direction] = digest;
  if (last !== identification + 1) return false;
  if (before !== digest) {
    ints[own] = IDENTIFIES_NOTHING;
    return false;
  }
  return Math.abs(now - (doubles[(base >> 1) + FLOW_F64.last] as number)) <= COPY_NS;
}

/** Of a datagram's length, checksum, and the first and last bytes of its payload. */
function digestOf({ bytes, cursor, end, transportOffset, payloadLength }: PacketView): number {
  let digest =
    Math.imul(payloadLength, 0x9e3779b1) ^ u8(bytes, transportOffset + 6) ^ (u8(bytes, transportOffset + 7) << 8);
  if (end - cursor >= 8) {
    digest = Math.imul(digest ^ i32(bytes, cursor), 0x85ebca6b) ^ i32(bytes, cursor + 4);
    return Math.imul(digest, 0xc2b2ae35) ^ i32(bytes, end - 4);
  }
  for (let at = cursor; at < end; at += 1) digest = Math.imul(digest ^ u8(bytes, at), 0x01000193);
  return digest;
}
