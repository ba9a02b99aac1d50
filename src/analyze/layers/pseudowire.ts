import { u8, u16 } from '../bytes.ts';
import type { PacketView } from '../packet/packet.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { SELECT_ETHERNET } from './ethernet.ts';
import { type Layer, SPACE } from './layer.ts';

export const SELECT_PSEUDOWIRE: number = SPACE.own + 0;

const CONTROL_WORD = 4;
const ETHERNET_HEADER = 14;

/** An Ethernet pseudowire's control word (RFC 4448, section 4.6), and the frame behind it. */
export const pseudowire = {
  name: 'pseudowire',
  title: 'Ethernet pseudowire',
  selector: SELECT_PSEUDOWIRE,
  decode(packet) {
    packet.cursor += CONTROL_WORD;
    packet.next = SELECT_ETHERNET;
  },
} as const satisfies Layer;

/**
 * Whether what is behind a label stack is certainly a control word and an Ethernet frame: the word's first 16 bits are
 * zero, and the frame's type is a usual one whose header begins as it must.
 */
export function looksLikePseudowire(packet: PacketView): boolean {
  const { bytes, cursor } = packet;
  if (packet.payloadCaptured < CONTROL_WORD + ETHERNET_HEADER + 2 || u16(bytes, cursor) !== 0) return false;
  const behind = cursor + CONTROL_WORD + ETHERNET_HEADER;
  switch (u16(bytes, behind - 2)) {
    case ETHER_TYPE.ipv4:
      return u8(bytes, behind) >> 4 === 4;
    case ETHER_TYPE.ipv6:
      return u8(bytes, behind) >> 4 === 6;
    case ETHER_TYPE.arp:
      return u16(bytes, behind) === 1;
    case ETHER_TYPE.vlan:
    case ETHER_TYPE.serviceVlan:
      return true;
    default:
      return false;
  }
}
