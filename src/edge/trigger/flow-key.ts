import type { FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { Hosts } from '../../analyze/identity/hosts.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import { addressText } from '../../wire/address-text.ts';

/** A flow by its addresses and ports, whichever of its sides sent a packet. */
export function keyOfFlow({ clientHost, clientPort, serverHost, serverPort }: FlowInfo, hosts: Hosts): string {
  const end = (host: number, port: number) => (host < 0 ? '' : `${hosts.text(host)} ${port}`);
  return keyOf(end(clientHost, clientPort), end(serverHost, serverPort));
}

/** The same of a packet; undefined without addresses. */
export function keyOfPacket(packet: PacketView): string | undefined {
  const { bytes, sourceAddress, destinationAddress, addressLength, sourcePort, destinationPort } = packet;
  if (addressLength === 0) return undefined;
  const end = (at: number, port: number) => `${addressText(bytes, at, addressLength)} ${Math.max(0, port)}`;
  return keyOf(end(sourceAddress, sourcePort), end(destinationAddress, destinationPort));
}

function keyOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
