import { LINK_TYPE } from '../../wire/link-type.ts';
import { u8 } from '../bytes.ts';
import { type Layer, SPACE } from './layer.ts';

/** LINKTYPE_RAW: IP without a link layer, its version in its first four bits. */
export const raw = {
  name: 'raw',
  title: 'IP',
  linkTypes: [LINK_TYPE.raw],
  decode(packet) {
    if (!packet.has(1)) return;
    const version = u8(packet.bytes, packet.cursor) >> 4;
    if (version === 4) packet.next = SPACE.etherType + 0x0800;
    else if (version === 6) packet.next = SPACE.etherType + 0x86dd;
    else packet.malformed();
  },
} as const satisfies Layer;
