import type { PacketView } from '../packet/packet.ts';
import { DIRECTION, SPACE } from './layer.ts';

/** PACKET_OUTGOING of linux/if_packet.h. */
const OUTGOING = 4;

/** ARPHRD_NETLINK, ARPHRD_IPGRE and the like of linux/if_arp.h: there the protocol field is not an EtherType. */
const NETLINK = 824;

/** What both of Linux's cooked headers contain, at different offsets. */
export function decodeCooked(
  packet: PacketView,
  header: number,
  protocol: number,
  hardware: number,
  type: number,
): void {
  packet.cursor += header;
  if (packet.direction === DIRECTION.unknown && type <= OUTGOING) {
    packet.direction = type === OUTGOING ? DIRECTION.outbound : DIRECTION.inbound;
  }
  if (hardware === NETLINK) return;
  packet.etherType = protocol;
  packet.next = SPACE.etherType + protocol;
}
