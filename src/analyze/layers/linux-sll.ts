import { LINK_TYPE } from '../../wire/link-type.ts';
import { u16 } from '../bytes.ts';
import { decodeCooked } from './cooked.ts';
import type { Layer } from './layer.ts';

const HEADER = 16;

/** LINKTYPE_LINUX_SLL (tcpdump.org/linktypes). */
export const linuxSll = {
  name: 'sll',
  title: 'SLL',
  linkTypes: [LINK_TYPE.linuxSll],
  decode(packet) {
    if (!packet.has(HEADER)) return;
    const { bytes, cursor } = packet;
    decodeCooked(packet, HEADER, u16(bytes, cursor + 14), u16(bytes, cursor + 2), u16(bytes, cursor));
  },
} as const satisfies Layer;
