import { LINK_TYPE } from '../wire/link-type.ts';
import { i32, u8, u16 } from './bytes.ts';
import { ethernet } from './layers/ethernet.ts';
import { LAYERS } from './layers/index.ts';
import { IP_PROTOCOL } from './layers/ip-protocol.ts';
import { ipv4 } from './layers/ipv4.ts';
import { NEXT_NONE, STOP } from './layers/layer.ts';
import { tcp } from './layers/tcp.ts';
import type { PacketView } from './packet.ts';

const ETHERNET_HEADER = 14;
const IP_HEADER = 20;
const TCP_HEADER = 20;
const ETHERTYPE_IPV4 = 0x0800;
/** Version 4, five words of header: no options. */
const PLAIN_IPV4 = 0x45;
/** More fragments, or an offset (RFC 791). */
const FRAGMENT = 0x3fff;

const ETHERNET = numberOf(ethernet);
const IPV4 = numberOf(ipv4);
const TCP = numberOf(tcp);

function numberOf(layer: (typeof LAYERS)[number]): number {
  return LAYERS.indexOf(layer);
}

/**
 * Decode what nearly every packet is, whole TCP on plain IPv4 on Ethernet, in one go: the same result as decodePacket,
 * in half the time. A test holds the two against one another.
 * @returns false when it is anything else: nothing was decoded then
 */
export function decodeCommonPacket(packet: PacketView): boolean {
  const { bytes, offset, caplen } = packet;
  if (packet.linkType !== LINK_TYPE.ethernet) return false;
  const network = offset + ETHERNET_HEADER;
  if (caplen < ETHERNET_HEADER + IP_HEADER + TCP_HEADER || packet.origlen < caplen) return false;
  if (u16(bytes, offset + 12) !== ETHERTYPE_IPV4 || u8(bytes, network) !== PLAIN_IPV4) return false;
  if (u8(bytes, network + 9) !== IP_PROTOCOL.tcp || (u16(bytes, network + 6) & FRAGMENT) !== 0) return false;
  const total = u16(bytes, network + 2);
  const transport = network + IP_HEADER;
  const header = (u8(bytes, transport + 12) >> 4) * 4;
  if (total > caplen - ETHERNET_HEADER || header < TCP_HEADER || total < IP_HEADER + header) return false;
  packet.forgetNetwork();
  packet.stopped = STOP.none;
  packet.next = NEXT_NONE;
  packet.etherType = ETHERTYPE_IPV4;
  packet.vlan = -1;
  packet.layerCount = 3;
  const { layerNumbers, layerOffsets } = packet;
  layerNumbers[0] = ETHERNET;
  layerNumbers[1] = IPV4;
  layerNumbers[2] = TCP;
  layerOffsets[0] = offset;
  layerOffsets[1] = network;
  layerOffsets[2] = transport;
  packet.networkOffset = network;
  packet.ipVersion = 4;
  packet.addressLength = 4;
  packet.sourceAddress = network + 12;
  packet.destinationAddress = network + 16;
  packet.ipProtocol = IP_PROTOCOL.tcp;
  packet.hopLimit = u8(bytes, network + 8);
  packet.identification = u16(bytes, network + 4);
  packet.transportOffset = transport;
  packet.sourcePort = u16(bytes, transport);
  packet.destinationPort = u16(bytes, transport + 2);
  packet.tcpSequence = i32(bytes, transport + 4);
  packet.tcpAcknowledgment = i32(bytes, transport + 8);
  packet.tcpFlags = u16(bytes, transport + 12) & 0xfff;
  packet.tcpWindow = u16(bytes, transport + 14);
  packet.tcpOptionsLength = header - TCP_HEADER;
  packet.cursor = transport + header;
  packet.end = network + total;
  packet.wireEnd = network + total;
  return true;
}
