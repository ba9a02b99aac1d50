import { addressText, hardwareText } from './address-text.ts';
import { u16 } from './bytes.ts';
import { icmpText, isEcho } from './icmp-text.ts';
import { arp } from './layers/arp.ts';
import { ethernet } from './layers/ethernet.ts';
import { icmp } from './layers/icmp.ts';
import { icmpv6 } from './layers/icmpv6.ts';
import { LAYERS } from './layers/index.ts';
import { DIRECTION, type Layer, SPACE, STOP } from './layers/layer.ts';
import { sctp } from './layers/sctp.ts';
import { tcp } from './layers/tcp.ts';
import { udp } from './layers/udp.ts';
import type { PacketView } from './packet.ts';
import { selectorText } from './selector-text.ts';

/** An address on its own, so that a name can take its place. */
export interface Address {
  readonly address: string;
}

export interface Endpoint extends Address {
  readonly port: number | undefined;
}

/** A packet's facts as texts, made when someone looks; it may be kept. */
export interface PacketDescription {
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly direction: 'in' | 'out' | undefined;
  readonly source: Endpoint | undefined;
  readonly destination: Endpoint | undefined;
  /** `TCP`, `ICMPv6`, `ARP`, or the name of what is not decoded. */
  readonly protocol: string;
  /** What the protocol says, word by word. */
  readonly words: readonly (string | Address)[];
  /** Why decoding stopped: `truncated in TCP`. */
  readonly stopped: string | undefined;
  /** Octets on the wire, and of them captured. */
  readonly length: number;
  readonly captured: number;
}

/** Describe a decoded packet. */
export function describePacket(packet: PacketView): PacketDescription {
  const layer = lastLayer(packet);
  const isArp = layer === arp;
  return {
    time: (BigInt(packet.timeHigh) << 32n) | BigInt(packet.timeLow),
    direction: DIRECTIONS[packet.direction],
    source: isArp ? undefined : endpoint(packet, packet.sourceAddress, packet.sourcePort, HARDWARE_SOURCE),
    destination: isArp ? undefined : endpoint(packet, packet.destinationAddress, packet.destinationPort, 0),
    protocol: protocolText(packet, layer),
    words: [...vlanWords(packet), ...protocolWords(packet, layer), ...fragmentWords(packet)],
    stopped: stopText(packet, layer),
    length: packet.origlen,
    captured: packet.caplen,
  };
}

const DIRECTIONS = { [DIRECTION.unknown]: undefined, [DIRECTION.inbound]: 'in', [DIRECTION.outbound]: 'out' } as const;

/** Where Ethernet keeps its source address; the destination comes first. */
const HARDWARE_SOURCE = 6;

function lastLayer(packet: PacketView): Layer | undefined {
  return LAYERS[packet.layerNumbers[packet.layerCount - 1] ?? LAYERS.length];
}

/** An IP address, or the Ethernet address where there is no IP. */
function endpoint(packet: PacketView, at: number, port: number, hardware: number): Endpoint | undefined {
  if (at >= 0) {
    return { address: addressText(packet.bytes, at, packet.addressLength), port: port < 0 ? undefined : port };
  }
  const isEthernet = LAYERS[packet.layerNumbers[0] ?? 0] === ethernet;
  if (!isEthernet || packet.layerCount === 0 || packet.caplen < 14) return undefined;
  return { address: hardwareText(packet.bytes, packet.offset + hardware), port: undefined };
}

function protocolText(packet: PacketView, layer: Layer | undefined): string {
  if (packet.stopped === STOP.unsupported) return selectorText(packet.next);
  if (layer === undefined) return `link type ${packet.linkType}`;
  // A later fragment, or nothing behind the headers: the protocol they name.
  if (packet.ipProtocol >= 0 && packet.transportOffset < 0) return ipProtocolText(packet);
  return layer.title;
}

function ipProtocolText(packet: PacketView): string {
  const named: readonly Layer[] = LAYERS;
  const known = named.find((layer) => layer.ipProtocols?.includes(packet.ipProtocol));
  return known?.title ?? selectorText(SPACE.ipProtocol + packet.ipProtocol);
}

function vlanWords(packet: PacketView): string[] {
  return packet.vlan < 0 ? [] : [`vlan ${packet.vlan}`];
}

function protocolWords(packet: PacketView, layer: Layer | undefined): (string | Address)[] {
  // What a header cut short would have said is not known.
  if (packet.stopped !== STOP.none) return [];
  switch (layer) {
    case tcp:
      return tcpWords(packet);
    case udp:
    case sctp:
      return [`len ${packet.payloadLength}`];
    case icmp:
      return icmpWords(packet, 4);
    case icmpv6:
      return icmpWords(packet, 6);
    case arp:
      return arpWords(packet);
    default:
      return [];
  }
}

/** By bit, as tcpdump prints them: FIN SYN RST PSH ACK URG ECE CWR AE. */
const FLAG_LETTERS = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W', 'e'] as const;

function tcpWords(packet: PacketView): string[] {
  const letters = FLAG_LETTERS.filter((_, bit) => (packet.tcpFlags >> bit) & 1).join('');
  const words = [`[${letters === '' ? 'none' : letters}]`, `seq ${packet.tcpSequence >>> 0}`];
  if (letters.includes('.')) words.push(`ack ${packet.tcpAcknowledgment >>> 0}`);
  words.push(`win ${packet.tcpWindow}`, `len ${packet.payloadLength}`);
  return words;
}

const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;

function icmpWords(packet: PacketView, version: 4 | 6): (string | Address)[] {
  const { bytes, icmpType, icmpCode, transportOffset } = packet;
  const words: (string | Address)[] = [icmpText(version, icmpType, icmpCode)];
  if (isEcho(version, icmpType)) {
    words.push(`id ${u16(bytes, transportOffset + 4)}`, `seq ${u16(bytes, transportOffset + 6)}`);
  }
  const hasTarget = version === 6 && packet.payloadCaptured >= 16;
  if (hasTarget && icmpType === NEIGHBOR_SOLICITATION) {
    words.push('who-has', { address: addressText(bytes, packet.cursor, 16) });
  }
  if (hasTarget && icmpType === NEIGHBOR_ADVERTISEMENT) {
    words.push({ address: addressText(bytes, packet.cursor, 16) });
  }
  return words;
}

const ARP_OPERATIONS: Readonly<Record<number, string>> = { 3: 'reverse request', 4: 'reverse reply' };

function arpWords(packet: PacketView): (string | Address)[] {
  const { bytes, arpOperation } = packet;
  if (packet.sourceAddress < 0) return [`operation ${arpOperation}`];
  const sender = { address: addressText(bytes, packet.sourceAddress, 4) };
  const target = { address: addressText(bytes, packet.destinationAddress, 4) };
  if (arpOperation === 1) return ['who-has', target, 'tell', sender];
  if (arpOperation === 2 && packet.destinationAddress - packet.sourceAddress === 10) {
    return [sender, 'is-at', hardwareText(bytes, packet.sourceAddress - 6)];
  }
  return [ARP_OPERATIONS[arpOperation] ?? `operation ${arpOperation}`];
}

function fragmentWords(packet: PacketView): string[] {
  if (!packet.moreFragments && packet.fragmentOffset === 0) return [];
  const more = packet.moreFragments ? '+' : '';
  return [`fragment id ${packet.identification >>> 0} offset ${packet.fragmentOffset}${more}`];
}

function stopText(packet: PacketView, layer: Layer | undefined): string | undefined {
  const where = layer?.title ?? 'the frame';
  switch (packet.stopped) {
    case STOP.truncated:
      return `truncated in ${where}`;
    case STOP.malformed:
      return `malformed ${where}`;
    case STOP.unsupported:
      return 'not decoded';
    case STOP.limit:
      return 'too many layers';
    default:
      return undefined;
  }
}
