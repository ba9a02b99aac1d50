import { u8, u16 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import type { Layer } from './layer.ts';

const FIXED = 8;

/** RFC 826, and RARP. The protocol addresses are taken as the packet's when they are IPv4's. */
export const arp = {
  name: 'arp',
  title: 'ARP',
  etherTypes: [0x0806, 0x8035],
  decode(packet) {
    if (packet.networkOffset >= 0 && !packet.enterTunnel()) return;
    if (!packet.has(FIXED)) return;
    const { bytes, cursor } = packet;
    const hardware = u8(bytes, cursor + 4);
    const protocol = u8(bytes, cursor + 5);
    packet.arpOperation = u16(bytes, cursor + 6);
    if (!packet.has(FIXED + 2 * (hardware + protocol))) return;
    if (u16(bytes, cursor + 2) === ETHER_TYPE.ipv4 && protocol === 4) {
      packet.addressLength = 4;
      packet.sourceAddress = cursor + FIXED + hardware;
      packet.destinationAddress = cursor + FIXED + 2 * hardware + protocol;
    }
    packet.cursor += FIXED + 2 * (hardware + protocol);
    packet.narrow(packet.cursor);
  },
} as const satisfies Layer;
