import { LINK_TYPE } from '../../wire/link-type.ts';
import { u8, u16 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import { type Layer, SPACE } from './layer.ts';

const HEADER = 20;

/** RFC 791; within another IP packet RFC 2003. */
export const ipv4 = {
  name: 'ipv4',
  title: 'IPv4',
  linkTypes: [LINK_TYPE.ipv4],
  etherTypes: [ETHER_TYPE.ipv4],
  ipProtocols: [IP_PROTOCOL.ipv4],
  decode(packet) {
    const { bytes, cursor } = packet;
    if (packet.networkOffset >= 0 && !packet.enterTunnel()) return;
    if (!packet.has(HEADER)) return;
    const first = u8(bytes, cursor);
    const header = (first & 0xf) * 4;
    if (first >> 4 !== 4 || header < HEADER) return packet.malformed();
    const total = u16(bytes, cursor + 2);
    const fragment = u16(bytes, cursor + 6);
    packet.ipVersion = 4;
    packet.networkOffset = cursor;
    packet.addressLength = 4;
    packet.sourceAddress = cursor + 12;
    packet.destinationAddress = cursor + 16;
    packet.identification = u16(bytes, cursor + 4);
    packet.fragmentOffset = (fragment & 0x1fff) * 8;
    packet.moreFragments = (fragment & 0x2000) !== 0;
    packet.hopLimit = u8(bytes, cursor + 8);
    const protocol = u8(bytes, cursor + 9);
    packet.ipProtocol = protocol;
    // A length of 0 is what segmentation offload leaves: the frame's own length holds.
    if (total !== 0) {
      if (total < header) return packet.malformed();
      packet.narrow(cursor + total);
    }
    if (!packet.has(header)) return;
    packet.cursor = cursor + header;
    if (packet.fragmentOffset === 0) packet.next = SPACE.ipProtocol + protocol;
  },
} as const satisfies Layer;
