import { LINK_TYPE } from '../../wire/link-type.ts';
import { EPB_FLAG } from '../../wire/pcapng.ts';

/** Where the cooked headers keep the packet type (LINKTYPE_LINUX_SLL: first two bytes; LINKTYPE_LINUX_SLL2: byte 10). */
const SLL_TYPE_OFFSET = 1;
const SLL2_TYPE_OFFSET = 10;

/** By packet type, PACKET_HOST to PACKET_OUTGOING of linux/if_packet.h. */
const FLAGS = [
  EPB_FLAG.inbound | EPB_FLAG.unicast,
  EPB_FLAG.inbound | EPB_FLAG.broadcast,
  EPB_FLAG.inbound | EPB_FLAG.multicast,
  EPB_FLAG.inbound | EPB_FLAG.promiscuous,
  EPB_FLAG.outbound,
] as const;

/** Offset of the packet type's low byte in a packet of this link type; -1 where the link type tells no direction. */
export function packetTypeOffset(linkType: number): number {
  if (linkType === LINK_TYPE.linuxSll2) return SLL2_TYPE_OFFSET;
  return linkType === LINK_TYPE.linuxSll ? SLL_TYPE_OFFSET : -1;
}

/** epb_flags for a packet type; 0 for one that says nothing. */
export function directionFlags(packetType: number): number {
  return FLAGS[packetType] ?? 0;
}
