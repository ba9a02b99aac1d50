import { expect } from 'vitest';
import type { PacketView } from '../../../src/analyze/packet/packet.ts';
import { describePacket } from '../../../src/analyze/record/describe.ts';
import { at, ethernet, fromHex, ipv6, payloadOf, udp } from '../decoded.ts';

export const IPV4 = 228;
export const IPV6 = 229;

/** The packet within: 192.168.0.1:4660 to 192.168.0.2:53, with two bytes of payload. */
export const inner = `4500 001e 0001 4000 3f 11 0000 c0a80001 c0a80002 ${udp(10)} abcd`;
export const inner6 = `${ipv6(17, 10)} ${udp(10)} abcd`;
export const innerFrame = `${ethernet('0800')} ${inner}`;

/** What is around: an IPv4 header, 10.0.0.1 to 10.0.0.2, before such bytes. */
export function around(protocol: number, ...parts: readonly string[]): Buffer {
  const carried = fromHex(...parts);
  const header = fromHex('4500 0000 1234 4000 40 00 0000 0a000001 0a000002');
  header.writeUInt16BE(20 + carried.length, 2);
  header[9] = protocol;
  return Buffer.concat([header, carried]);
}

export function aroundUdp(port: number, ...parts: readonly string[]): Buffer {
  const carried = fromHex(...parts);
  const header = fromHex('c000 0000 0000 0000');
  header.writeUInt16BE(port, 2);
  header.writeUInt16BE(8 + carried.length, 4);
  return around(17, header.toString('hex'), carried.toString('hex'));
}

export function said(packet: PacketView): string {
  const { tunnels, protocol, words } = describePacket(packet);
  const text = (word: string | { readonly address: string }) => (typeof word === 'string' ? word : word.address);
  return [...tunnels.map(text), protocol, ...words.map(text)].join(' ');
}

/** The inner datagram is what the view speaks of, and the outer pair is to be had. */
export function expectInner(packet: PacketView): void {
  expect(packet).toMatchObject({ sourcePort: 4660, destinationPort: 53, ipVersion: 4, hopLimit: 63, tunnelDepth: 1 });
  expect(at(packet, packet.sourceAddress, 4)).toBe('c0a80001');
  expect(payloadOf(packet)).toBe('abcd');
  expect(at(packet, packet.outerSourceAddress, packet.outerAddressLength)).toBe('0a000001');
  expect(at(packet, packet.outerDestinationAddress, packet.outerAddressLength)).toBe('0a000002');
}
