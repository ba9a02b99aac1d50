import { LINK_TYPE } from '../../wire/link-type.ts';
import { i32, u8, u16 } from '../bytes.ts';
import { icmp } from '../layers/icmp.ts';
import { icmpv6 } from '../layers/icmpv6.ts';
import { LAYERS } from '../layers/index.ts';
import { NEXT_NONE, STOP } from '../layers/layer.ts';
import { decodePacket, type PacketView } from './packet.ts';

const ICMP = LAYERS.indexOf(icmp);
const ICMPV6 = LAYERS.indexOf(icmpv6);

/** Messages that quote the packet they are about (RFC 792; RFC 4443, section 2.1: errors are below 128). */
const UNREACHABLE = 3;
const SOURCE_QUENCH = 4;
const REDIRECT = 5;
const TIME_EXCEEDED = 11;
const PARAMETER_PROBLEM = 12;
const ERRORS: readonly number[] = [UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM];
const ERRORS_V6: readonly number[] = [1, 2, 3, 4];
const PACKET_TOO_BIG = 2;

const FRAGMENTATION_NEEDED = 4;

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

/** No IP packet is longer. The quoted header contains the length of the original packet. */
const WHOLE = 0x10_0000;

/** Whether the packet is an ICMP or ICMPv6 error, whole enough to show the packet it is about. */
function isIcmpError(packet: PacketView): boolean {
  const last = packet.layerNumbers[packet.layerCount - 1];
  if (packet.stopped !== STOP.none || packet.next !== NEXT_NONE || packet.layerCount === 0) return false;
  if (packet.moreFragments || packet.fragmentOffset > 0) return false;
  if (last === ICMP && packet.ipVersion === 4) return ERRORS.includes(packet.icmpType);
  return last === ICMPV6 && packet.ipVersion === 6 && ERRORS_V6.includes(packet.icmpType);
}

/**
 * Decode the packet that an ICMP or ICMPv6 error is about, of which it quotes the beginning: as a rule its IP header
 * and 8 bytes, enough for the ports of TCP and UDP, though TCP's header then is truncated. The error's own source is the
 * router that reports it, or the host whose port is closed.
 * @param into the quoted packet, as it was when it could go no further: over the bytes of `packet`, as long valid
 * @returns false when the packet is not an error, or quotes no IP packet
 */
export function quoted(packet: PacketView, into: PacketView): boolean {
  if (!isIcmpError(packet)) return false;
  const { bytes, cursor, ipVersion } = packet;
  const available = Math.min(packet.payloadCaptured, quoteLength(packet));
  const header = ipVersion === 4 ? IPV4_HEADER : IPV6_HEADER;
  if (available < header || u8(bytes, cursor) >> 4 !== ipVersion) return false;
  const { timeHigh, timeLow, interfaceId, direction } = packet;
  const linkType = ipVersion === 4 ? LINK_TYPE.ipv4 : LINK_TYPE.ipv6;
  into.set(bytes, cursor, available, WHOLE, timeHigh, timeLow, interfaceId, linkType, direction);
  decodePacket(into);
  into.origlen = Math.max(available, into.wireEnd - cursor);
  return into.ipVersion === ipVersion;
}

/** Bytes the quote may have: behind it may lie extensions, if a length is given (RFC 4884). */
function quoteLength(packet: PacketView): number {
  const { bytes, transportOffset, ipVersion, icmpType } = packet;
  if (ipVersion === 4) {
    const words = icmpType === SOURCE_QUENCH || icmpType === REDIRECT ? 0 : u8(bytes, transportOffset + 5);
    return words === 0 ? WHOLE : words * 4;
  }
  const words = icmpType === 1 || icmpType === 3 ? u8(bytes, transportOffset + 4) : 0;
  return words === 0 ? WHOLE : words * 8;
}

/** The next hop's MTU, in bytes, of a "packet too big" error (RFC 1191, RFC 4443); -1 where it gives none. */
export function nextHopMtu(packet: PacketView): number {
  if (!isIcmpError(packet)) return -1;
  const { bytes, transportOffset, icmpType, icmpCode } = packet;
  let mtu = 0;
  if (packet.ipVersion === 4) {
    if (icmpType === UNREACHABLE && icmpCode === FRAGMENTATION_NEEDED) mtu = u16(bytes, transportOffset + 6);
  } else if (icmpType === PACKET_TOO_BIG) mtu = i32(bytes, transportOffset + 4) >>> 0;
  return mtu === 0 ? -1 : mtu;
}

/** Where a redirect has the address of the better router, 4 bytes; -1 of any other message. */
export function redirectTarget(packet: PacketView): number {
  const isRedirect = isIcmpError(packet) && packet.ipVersion === 4 && packet.icmpType === REDIRECT;
  return isRedirect ? packet.transportOffset + 4 : -1;
}
