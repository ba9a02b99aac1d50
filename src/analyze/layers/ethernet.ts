import { LINK_TYPE } from '../../wire/link-type.ts';
import { u16 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import { type Layer, SPACE } from './layer.ts';
import { SELECT_LLC } from './llc.ts';

const HEADER = 14;

/** Up to here the field is a length and LLC follows (IEEE 802.3, 3.2.6). */
export const LENGTH_MAXIMUM = 1500;

/** Selects Ethernet within a tunnel. */
export const SELECT_ETHERNET: number = SPACE.linkType + LINK_TYPE.ethernet;

/** IEEE 802.3, and Ethernet within a tunnel (transparent Ethernet bridging). */
export const ethernet = {
  name: 'ethernet',
  title: 'Ethernet',
  linkTypes: [LINK_TYPE.ethernet],
  etherTypes: [ETHER_TYPE.bridged],
  ipProtocols: [IP_PROTOCOL.ethernet],
  decode(packet) {
    if (packet.networkOffset >= 0 && !packet.enterTunnel()) return;
    if (!packet.has(HEADER)) return;
    const type = u16(packet.bytes, packet.cursor + 12);
    packet.cursor += HEADER;
    if (type > LENGTH_MAXIMUM) {
      packet.etherType = type;
      packet.next = SPACE.etherType + type;
      return;
    }
    packet.narrow(packet.cursor + type);
    packet.next = SELECT_LLC;
  },
} as const satisfies Layer;
