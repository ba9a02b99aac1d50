import { u8 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import { type Layer, SPACE } from './layer.ts';
import { looksLikePseudowire, SELECT_PSEUDOWIRE } from './pseudowire.ts';

const ENTRY = 4;

/** MPLS in UDP (RFC 7510). */
const PORT = 6635;

/**
 * A whole label stack (RFC 3032), down to its bottom. Nothing names what follows: IP shows itself by its version
 * (RFC 4928), Ethernet behind a control word where it is certain.
 */
export const mpls = {
  name: 'mpls',
  title: 'MPLS',
  etherTypes: [ETHER_TYPE.mpls, ETHER_TYPE.mplsUpstream],
  ipProtocols: [IP_PROTOCOL.mpls],
  udpPorts: [PORT],
  decode(packet) {
    const { bytes } = packet;
    let isBottom = false;
    while (!isBottom) {
      if (!packet.has(ENTRY)) return;
      isBottom = (u8(bytes, packet.cursor + 2) & 1) !== 0;
      packet.cursor += ENTRY;
    }
    if (packet.payloadCaptured < 1) return;
    const version = u8(bytes, packet.cursor) >> 4;
    if (version === 4) packet.next = SPACE.etherType + ETHER_TYPE.ipv4;
    else if (version === 6) packet.next = SPACE.etherType + ETHER_TYPE.ipv6;
    else if (looksLikePseudowire(packet)) packet.next = SELECT_PSEUDOWIRE;
  },
} as const satisfies Layer;
