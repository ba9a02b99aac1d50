import { u16 } from '../bytes.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import { type Layer, SPACE } from './layer.ts';
import { TEREDO_PORT } from './teredo.ts';
import { looksLikeWireguard, SELECT_WIREGUARD } from './wireguard.ts';

const HEADER = 8;

/** RFC 768. */
export const udp = {
  name: 'udp',
  title: 'UDP',
  ipProtocols: [IP_PROTOCOL.udp],
  decode(packet) {
    const { bytes, cursor } = packet;
    packet.transportOffset = cursor;
    if (!packet.has(4)) return;
    const source = u16(bytes, cursor);
    const destination = u16(bytes, cursor + 2);
    packet.sourcePort = source;
    packet.destinationPort = destination;
    if (!packet.has(HEADER)) return;
    const length = u16(bytes, cursor + 4);
    packet.udpLength = length;
    // 0 is a jumbogram's (RFC 2675, section 4) or what segmentation offload leaves: the packet's length holds.
    if (length !== 0) {
      if (length < HEADER) return packet.malformed();
      packet.narrow(cursor + length);
    }
    packet.cursor = cursor + HEADER;
    // Tunnels are sent to their port from any; Teredo's relays alone answer from theirs.
    if (looksLikeWireguard(packet)) packet.next = SELECT_WIREGUARD;
    else packet.next = SPACE.udpPort + (source === TEREDO_PORT ? source : destination);
  },
} as const satisfies Layer;
