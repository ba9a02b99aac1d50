import { EPB_FLAG } from './pcapng.ts';

/** Link-layer header types that have a name here (LINKTYPE_ values, tcpdump.org/linktypes). */
export const LINK_TYPE = {
  null: 0,
  ethernet: 1,
  raw: 101,
  loop: 108,
  linuxSll: 113,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  linuxSll2: 276,
} as const;

/** DLT_RAW is 12 in a savefile of some platforms, 14 on OpenBSD; LINKTYPE_RAW is 101 (pcap-linktype(7)). */
export function normalLinkType(linkType: number): number {
  return linkType === 12 || linkType === 14 ? LINK_TYPE.raw : linkType;
}

/** Where the cooked headers keep the packet type (LINKTYPE_LINUX_SLL: first two bytes; LINKTYPE_LINUX_SLL2: byte 10). */
const SLL_TYPE_OFFSET = 1;
const SLL2_TYPE_OFFSET = 10;

/** epb_flags by packet type, PACKET_HOST to PACKET_OUTGOING of linux/if_packet.h. */
const DIRECTION_FLAGS = [
  EPB_FLAG.inbound | EPB_FLAG.unicast,
  EPB_FLAG.inbound | EPB_FLAG.broadcast,
  EPB_FLAG.inbound | EPB_FLAG.multicast,
  EPB_FLAG.inbound | EPB_FLAG.promiscuous,
  EPB_FLAG.outbound,
] as const;

/** Offset of the packet type's low byte in a packet of this link type; -1 for a link type without direction. */
export function packetTypeOffset(linkType: number): number {
  if (linkType === LINK_TYPE.linuxSll2) return SLL2_TYPE_OFFSET;
  return linkType === LINK_TYPE.linuxSll ? SLL_TYPE_OFFSET : -1;
}

/** PACKET_OTHERHOST of linux/if_packet.h: a bridge flooded it to all its ports, or the interface takes everything. */
export const TO_OTHER_HOST = 3;

/** epb_flags for a packet type; 0 for any other. */
export function directionFlags(packetType: number): number {
  return DIRECTION_FLAGS[packetType] ?? 0;
}
