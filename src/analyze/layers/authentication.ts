import { u8 } from '../bytes.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import { followExtension } from './ipv6-options.ts';
import type { Layer } from './layer.ts';

/** IP Authentication Header (RFC 4302): its length counts 4 bytes beyond the first 8. What it covers is in the clear. */
export const authentication = {
  name: 'ah',
  title: 'AH',
  ipProtocols: [IP_PROTOCOL.authentication],
  decode(packet) {
    if (!packet.has(12)) return;
    const length = (u8(packet.bytes, packet.cursor + 1) + 2) * 4;
    if (length < 12) return packet.malformed();
    if (!packet.has(length)) return;
    followExtension(packet, length);
  },
} as const satisfies Layer;
