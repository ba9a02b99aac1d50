import { i32, u16 } from '../bytes.ts';
import { type Layer, SPACE } from './layer.ts';

/** LLC has no EtherType; Linux calls it ETH_P_802_2 (linux/if_ether.h), which no wire carries. */
const ETH_P_802_2 = 0x0004;
export const SELECT_LLC: number = SPACE.etherType + ETH_P_802_2;

const UNNUMBERED_INFORMATION = 3;
const SNAP = 0xaa;
const SAP_IP = 0x06;

/** IEEE 802.2, and SNAP with an EtherType (RFC 1042). Other service access points are not decoded. */
export const llc = {
  name: 'llc',
  title: 'LLC',
  etherTypes: [ETH_P_802_2],
  decode(packet) {
    if (!packet.has(3)) return;
    const { bytes, cursor } = packet;
    const saps = u16(bytes, cursor);
    if (bytes[cursor + 2] !== UNNUMBERED_INFORMATION) return;
    if (saps === (SAP_IP << 8) + SAP_IP) {
      packet.cursor += 3;
      packet.next = SPACE.etherType + 0x0800;
    } else if (saps === (SNAP << 8) + SNAP) {
      if (!packet.has(8)) return;
      const organisation = i32(bytes, cursor + 2) & 0xff_ffff;
      const type = u16(bytes, cursor + 6);
      packet.cursor += 8;
      if (organisation !== 0) return;
      packet.etherType = type;
      packet.next = SPACE.etherType + type;
    } else packet.cursor += 3;
  },
} as const satisfies Layer;
