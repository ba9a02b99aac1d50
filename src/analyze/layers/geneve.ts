import { u8, u16 } from '../bytes.ts';
import { type Layer, NEXT_NONE, SPACE } from './layer.ts';

const HEADER = 8;

const PORT = 6081;

/** Control packets carry no packet (RFC 8926, section 3.4). */
const CONTROL = 0x80;

/** RFC 8926, version 0; options are stepped over. */
export const geneve = {
  name: 'geneve',
  title: 'Geneve',
  udpPorts: [PORT],
  decode(packet) {
    const { bytes, cursor } = packet;
    if (packet.payloadCaptured < HEADER) return packet.decline();
    const first = u8(bytes, cursor);
    if (first >> 6 !== 0) return packet.decline();
    const header = HEADER + (first & 0x3f) * 4;
    if (!packet.has(header)) return;
    packet.cursor = cursor + header;
    const isControl = (u8(bytes, cursor + 1) & CONTROL) !== 0;
    packet.next = isControl ? NEXT_NONE : SPACE.etherType + u16(bytes, cursor + 2);
  },
} as const satisfies Layer;
