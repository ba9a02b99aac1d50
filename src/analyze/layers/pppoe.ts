import { u16 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import type { Layer } from './layer.ts';
import { SELECT_PPP } from './ppp.ts';

const HEADER = 6;

/** Version 1, type 1, code 0. */
const SESSION = 0x1100;

/** A PPP session on Ethernet (RFC 2516); its discovery is only named. */
export const pppoe = {
  name: 'pppoe',
  title: 'PPPoE',
  etherTypes: [ETHER_TYPE.pppoe],
  decode(packet) {
    if (!packet.has(HEADER)) return;
    if (u16(packet.bytes, packet.cursor) !== SESSION) return packet.malformed();
    const length = u16(packet.bytes, packet.cursor + 4);
    packet.cursor += HEADER;
    packet.narrow(packet.cursor + length);
    packet.next = SELECT_PPP;
  },
} as const satisfies Layer;
