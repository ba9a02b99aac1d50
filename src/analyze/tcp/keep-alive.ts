import type { PacketView } from '../packet/packet.ts';
import { TCP } from './flags.ts';

/**
 * Whether a segment's only byte may be that of a keep-alive, which is no byte of the stream (RFC 9293, section 3.8.4: "one garbage
 * octet"; Windows sends 0). It has the number of the sender's last byte: where that was not captured it would stand in its place. A
 * sender's own last byte comes with PSH.
 */
export function mayBeKeepAlive({ payloadLength, tcpFlags, bytes, cursor, end }: PacketView): boolean {
  if (payloadLength !== 1 || (tcpFlags & (TCP.psh | TCP.syn | TCP.fin)) !== 0) return false;
  return cursor < end && bytes[cursor] === 0;
}
