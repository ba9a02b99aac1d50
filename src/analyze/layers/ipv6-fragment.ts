import { i32, u16 } from '../bytes.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import { followExtension } from './ipv6-options.ts';
import { type Layer, NEXT_NONE } from './layer.ts';

const HEADER = 8;

/** The fragment header (RFC 8200, section 4.5): only a first fragment has more layers to decode. */
export const ipv6Fragment = {
  name: 'fragment',
  title: 'IPv6 fragment header',
  ipProtocols: [IP_PROTOCOL.fragment],
  decode(packet) {
    if (!packet.has(HEADER)) return;
    const { bytes, cursor } = packet;
    const fragment = u16(bytes, cursor + 2);
    packet.fragmentOffset = fragment & 0xfff8;
    packet.moreFragments = (fragment & 1) !== 0;
    packet.identification = i32(bytes, cursor + 4);
    followExtension(packet, HEADER);
    if (packet.fragmentOffset !== 0) packet.next = NEXT_NONE;
  },
} as const satisfies Layer;
