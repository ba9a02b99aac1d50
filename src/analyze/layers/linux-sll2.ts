import { LINK_TYPE } from '../../wire/link-type.ts';
import { u8, u16 } from '../bytes.ts';
import { decodeCooked } from './cooked.ts';
import type { Layer } from './layer.ts';

const HEADER = 20;

/** LINKTYPE_LINUX_SLL2 (tcpdump.org/linktypes): what `-i any` gives. */
export const linuxSll2 = {
  name: 'sll2',
  title: 'SLL2',
  linkTypes: [LINK_TYPE.linuxSll2],
  decode(packet) {
    if (!packet.has(HEADER)) return;
    const { bytes, cursor } = packet;
    decodeCooked(packet, HEADER, u16(bytes, cursor), u16(bytes, cursor + 8), u8(bytes, cursor + 10));
  },
} as const satisfies Layer;
