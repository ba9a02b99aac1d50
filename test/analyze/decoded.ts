import { LAYERS } from '../../src/analyze/layers/index.ts';
import { STOP } from '../../src/analyze/layers/layer.ts';
import { decodePacket, PacketView } from '../../src/analyze/packet/packet.ts';

/** The bytes of hexadecimal text; white space is free. */
export function fromHex(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.join('').replace(/\s/g, ''), 'hex');
}

/**
 * Decode a packet that lies in the middle of a buffer, so that an offset taken from its start would show.
 * @param origlen its length on the wire, when the capture cut it
 */
export function decoded(linkType: number, bytes: Buffer, origlen = bytes.length): PacketView {
  const before = 7;
  const around = Buffer.concat([Buffer.alloc(before, 0xee), bytes, Buffer.alloc(64, 0xee)]);
  const packet = new PacketView();
  packet.set(around, before, bytes.length, origlen, 0, 0, 0, linkType, 0);
  decodePacket(packet);
  return packet;
}

/** `ethernet vlan ipv4 tcp`, with why it stopped: `ethernet ipv4 (malformed)`. */
export function layersOf(packet: PacketView): string {
  const names = Array.from(packet.layerNumbers.subarray(0, packet.layerCount), (number) => LAYERS[number]?.name);
  const [stopped] = Object.entries(STOP).find(([, value]) => value === packet.stopped) ?? [];
  return names.join(' ') + (packet.stopped === STOP.none ? '' : ` (${stopped})`);
}

/** The bytes an offset of the view points at. */
export function at(packet: PacketView, offset: number, length: number): string {
  return Buffer.from(packet.bytes.subarray(offset, offset + length)).toString('hex');
}

export function payloadOf(packet: PacketView): string {
  return at(packet, packet.cursor, packet.payloadCaptured);
}

/** An Ethernet header before what an EtherType names. */
export const ethernet = (type: string): string => `020000000002 020000000001 ${type}`;

/** An IPv4 header without options, 10.0.0.1 to 10.0.0.2. @param length its total length */
export const ipv4 = (protocol: number, length: number, fragment = '4000'): string =>
  `4500 ${hex(length, 4)} 1234 ${fragment} 40 ${hex(protocol, 2)} 0000 0a000001 0a000002`;

/** An IPv6 header, fd00::1 to fd00::2. @param length its payload length */
export const ipv6 = (next: number, length: number): string =>
  `60000000 ${hex(length, 4)} ${hex(next, 2)} 40 fd${'00'.repeat(14)}01 fd${'00'.repeat(14)}02`;

/** UDP from port 4660 to 53. @param length its length field */
export const udp = (length: number): string => `1234 0035 ${hex(length, 4)} 0000`;

/** TCP from port 4660 to 80, SYN and ACK, without options. */
export const tcp = '1234 0050 fffffffe 00000001 5012 0100 0000 0000';

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
