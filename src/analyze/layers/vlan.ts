import { u16 } from '../bytes.ts';
import { LENGTH_MAXIMUM } from './ethernet.ts';
import { type Layer, SPACE } from './layer.ts';
import { SELECT_LLC } from './llc.ts';

/** 802.1Q tags, 802.1ad service tags (QinQ) and their older number. */
export const vlan = {
  name: 'vlan',
  title: 'VLAN',
  etherTypes: [0x8100, 0x88a8, 0x9100],
  decode(packet) {
    if (!packet.has(4)) return;
    packet.vlan = u16(packet.bytes, packet.cursor) & 0xfff;
    const type = u16(packet.bytes, packet.cursor + 2);
    packet.cursor += 4;
    if (type > LENGTH_MAXIMUM) {
      packet.etherType = type;
      packet.next = SPACE.etherType + type;
      return;
    }
    packet.narrow(packet.cursor + type);
    packet.next = SELECT_LLC;
  },
} as const satisfies Layer;
