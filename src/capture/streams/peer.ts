import { addressText } from '../../wire/address-text.ts';
import { ipHeaderAt } from '../../wire/ip-header.ts';

const TCP = 6;
const UDP = 17;
const SYN = 0x02;
const ACK = 0x10;

/** DNS: the servers of a cluster serve all of its pods. */
const DNS_PORT = 53;

/**
 * The client of the receiver of a packet: the source of a packet that a client sends (`sentByClient`).
 * @param offset of the packet's `caplen` bytes
 * @returns its address, undefined when the source is not known to be a client
 */
export function callerOf(linkType: number, bytes: Uint8Array, offset: number, caplen: number): string | undefined {
  const start = ipHeaderAt(linkType, bytes, offset, caplen);
  if (start < 0) return undefined;
  const packet = new DataView(bytes.buffer, bytes.byteOffset + offset + start, caplen - start);
  if (sentByClient(packet) < 0) return undefined;
  return addressAt(bytes, offset + start, packet, 0);
}

/**
 * What the sender of a packet calls: the destination of a packet that a client sends, unless it is a query for a DNS server.
 * @param offset of the packet's `caplen` bytes
 * @returns its address, undefined when the source is not known to be a client
 */
export function calleeOf(linkType: number, bytes: Uint8Array, offset: number, caplen: number): string | undefined {
  const start = ipHeaderAt(linkType, bytes, offset, caplen);
  if (start < 0) return undefined;
  const packet = new DataView(bytes.buffer, bytes.byteOffset + offset + start, caplen - start);
  const port = sentByClient(packet);
  if (port < 0 || port === DNS_PORT) return undefined;
  return addressAt(bytes, offset + start, packet, 1);
}

/**
 * Whether a client sends a packet: a SYN, or a packet from a higher port to a lower one, which is typical for clients of
 * connections that began before the capture (TCP and UDP without IPv6 extension headers).
 * @param packet from its IP header on
 * @returns the port it goes to, -1 when the sender is not known to be a client
 */
function sentByClient(packet: DataView): number {
  const isFour = packet.getUint8(0) >> 4 === 4;
  const protocol = packet.getUint8(isFour ? 9 : 6);
  if (protocol !== TCP && protocol !== UDP) return -1;
  if (isFour && (packet.getUint16(6) & 0x1fff) !== 0) return -1;
  const transport = isFour ? (packet.getUint8(0) & 0xf) * 4 : 40;
  if (transport + 14 > packet.byteLength) return -1;
  const flags = protocol === TCP ? packet.getUint8(transport + 13) & (SYN | ACK) : 0;
  const port = packet.getUint16(transport + 2);
  return flags === SYN || ((flags & SYN) === 0 && port < packet.getUint16(transport)) ? port : -1;
}

/** @param which 0: the source, 1: the destination */
function addressAt(bytes: Uint8Array, start: number, packet: DataView, which: 0 | 1): string {
  const isFour = packet.getUint8(0) >> 4 === 4;
  return isFour ? addressText(bytes, start + 12 + which * 4, 4) : addressText(bytes, start + 8 + which * 16, 16);
}
