import { i32, u8, u16 } from '../bytes.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import type { Layer } from './layer.ts';

const HEADER = 20;

/** RFC 9293. */
export const tcp = {
  name: 'tcp',
  title: 'TCP',
  ipProtocols: [IP_PROTOCOL.tcp],
  decode(packet) {
    const { bytes, cursor } = packet;
    packet.transportOffset = cursor;
    if (!packet.has(4)) return;
    packet.sourcePort = u16(bytes, cursor);
    packet.destinationPort = u16(bytes, cursor + 2);
    if (!packet.has(HEADER)) return;
    packet.tcpSequence = i32(bytes, cursor + 4);
    packet.tcpAcknowledgment = i32(bytes, cursor + 8);
    const header = (u8(bytes, cursor + 12) >> 4) * 4;
    packet.tcpFlags = u16(bytes, cursor + 12) & 0xfff;
    packet.tcpWindow = u16(bytes, cursor + 14);
    if (header < HEADER) return packet.malformed();
    if (!packet.has(header)) return;
    packet.tcpOptionsLength = header - HEADER;
    packet.cursor = cursor + header;
  },
} as const satisfies Layer;
