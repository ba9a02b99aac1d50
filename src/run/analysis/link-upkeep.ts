import { STOP } from '../../analyze/layers/layer.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import { TCP } from '../../analyze/tcp/flags.ts';

/** ICMPv6 types of neighbour discovery (RFC 4861: 133 to 137) and of multicast listeners (RFC 2710: 130 to 132; RFC 3810: 143). */
const NEIGHBOUR_FIRST = 130;
const NEIGHBOUR_LAST = 137;
const LISTENER_REPORT_V2 = 143;

const SIGNALS = TCP.syn | TCP.fin | TCP.rst;

/**
 * Whether a packet only keeps a link or a connection going: ARP, IPv6 neighbour discovery, a TCP acknowledgement without
 * data. Among requests such packets are noise.
 */
export function isUpkeep(packet: PacketView): boolean {
  if (packet.stopped !== STOP.none) return false;
  if (packet.arpOperation >= 0) return true;
  if (packet.icmpType >= 0) {
    if (packet.ipVersion !== 6) return false;
    const { icmpType } = packet;
    return (icmpType >= NEIGHBOUR_FIRST && icmpType <= NEIGHBOUR_LAST) || icmpType === LISTENER_REPORT_V2;
  }
  return (packet.tcpFlags & TCP.ack) !== 0 && (packet.tcpFlags & SIGNALS) === 0 && packet.payloadLength === 0;
}
