import { u16 } from '../bytes.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import type { Layer } from './layer.ts';

const HEADER = 12;

/** The common header (RFC 9260, section 3.1); chunks are payload. */
export const sctp = {
  name: 'sctp',
  title: 'SCTP',
  ipProtocols: [IP_PROTOCOL.sctp],
  decode(packet) {
    packet.transportOffset = packet.cursor;
    if (!packet.has(HEADER)) return;
    packet.sourcePort = u16(packet.bytes, packet.cursor);
    packet.destinationPort = u16(packet.bytes, packet.cursor + 2);
    packet.cursor += HEADER;
  },
} as const satisfies Layer;
