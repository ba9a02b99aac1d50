import { u8, u16 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { SELECT_ETHERNET } from './ethernet.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import { type Layer, NEXT_NONE, SPACE } from './layer.ts';

const HEADER_2 = 8;
const HEADER_3 = 12;
const PLATFORM = 8;

/** Sequence number present, in the first byte of GRE. */
const SEQUENCE = 0x10;

/** The versions in a header's first four bits. */
const TYPE_2 = 1;
const TYPE_3 = 2;

/** Frame types of type III; others are not decoded. */
const FRAME_ETHERNET = 0;
const FRAME_IP = 2;

/** Mirrored Ethernet in GRE (draft-foschiano-erspan): type I has no header, and no sequence number in GRE either. */
export const erspan = {
  name: 'erspan',
  title: 'ERSPAN',
  etherTypes: [ETHER_TYPE.erspan, ETHER_TYPE.erspan3],
  decode(packet) {
    const { bytes, cursor } = packet;
    packet.next = SELECT_ETHERNET;
    if (packet.ipProtocol === IP_PROTOCOL.gre && packet.transportOffset >= 0) {
      const hasSequence = (u8(bytes, packet.transportOffset) & SEQUENCE) !== 0;
      if (!hasSequence && u16(bytes, packet.transportOffset + 2) === ETHER_TYPE.erspan) return;
    }
    if (!packet.has(HEADER_2)) return;
    const version = u8(bytes, cursor) >> 4;
    if (version === TYPE_2) {
      packet.cursor = cursor + HEADER_2;
    } else if (version === TYPE_3) {
      if (!packet.has(HEADER_3)) return;
      const hasPlatform = (u8(bytes, cursor + 11) & 1) !== 0;
      const header = HEADER_3 + (hasPlatform ? PLATFORM : 0);
      if (!packet.has(header)) return;
      packet.cursor = cursor + header;
      const frameType = (u8(bytes, cursor + 10) >> 2) & 0x1f;
      if (frameType !== FRAME_ETHERNET) packet.next = NEXT_NONE;
      if (frameType === FRAME_IP && packet.payloadCaptured > 0) {
        const isIpv6 = u8(bytes, packet.cursor) >> 4 === 6;
        packet.next = SPACE.etherType + (isIpv6 ? ETHER_TYPE.ipv6 : ETHER_TYPE.ipv4);
      }
    } else packet.malformed();
  },
} as const satisfies Layer;
