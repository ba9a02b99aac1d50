import { addressText, hardwareText } from '../../wire/address-text.ts';
import { u16 } from '../bytes.ts';
import { arp } from '../layers/arp.ts';
import { ethernet } from '../layers/ethernet.ts';
import { icmp } from '../layers/icmp.ts';
import { icmpv6 } from '../layers/icmpv6.ts';
import { LAYERS } from '../layers/index.ts';
import { ipv4 } from '../layers/ipv4.ts';
import { ipv6 } from '../layers/ipv6.ts';
import { DIRECTION, type Layer, SPACE, STOP } from '../layers/layer.ts';
import { llc } from '../layers/llc.ts';
import { sctp } from '../layers/sctp.ts';
import { tcp } from '../layers/tcp.ts';
import { udp } from '../layers/udp.ts';
import { nextHopMtu, quoted, redirectTarget } from '../packet/icmp-quote.ts';
import { PacketView } from '../packet/packet.ts';
import { icmpText, isEcho } from './icmp-text.ts';
import { llcText, selectorText } from './selector-text.ts';
import { carriedText, layerAt, tunnelText } from './tunnel-text.ts';

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
  /** What is around the packet, outermost first: `VXLAN 42`, `from`, 10.0.0.1, `to`, 10.0.0.2. */
  readonly tunnels: readonly (string | Address)[];
  /** `TCP`, `ICMPv6`, `ARP`, or the name of what is not decoded. */
  readonly protocol: string;
  /** The protocol's own words, one by one. */
  readonly words: readonly (string | Address | Endpoint)[];
  /** Why decoding stopped: `truncated in TCP`. */
  readonly stopped: string | undefined;
  /** Bytes on the wire, and how many of them were captured. */
  readonly length: number;
  readonly captured: number;
}

/** Describe a decoded packet. */
export function describePacket(packet: PacketView): PacketDescription {
  const layer = layerAt(packet, packet.layerCount - 1);
  const isArp = layer === arp;
  return {
    time: (BigInt(packet.timeHigh) << 32n) | BigInt(packet.timeLow),
    direction: DIRECTIONS[packet.direction],
    source: isArp ? undefined : endpoint(packet, packet.sourceAddress, packet.sourcePort, HARDWARE_SOURCE),
    destination: isArp ? undefined : endpoint(packet, packet.destinationAddress, packet.destinationPort, 0),
    tunnels: tunnelWords(packet),
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

/** An IP address, or the innermost Ethernet address where there is no IP. */
function endpoint(packet: PacketView, at: number, port: number, hardware: number): Endpoint | undefined {
  if (at >= 0) {
    return { address: addressText(packet.bytes, at, packet.addressLength), port: port < 0 ? undefined : port };
  }
  for (let depth = packet.layerCount - 1; depth >= 0; depth -= 1) {
    const start = packet.layerOffsets[depth] as number;
    if (layerAt(packet, depth) !== ethernet || start + 14 > packet.offset + packet.caplen) continue;
    return { address: hardwareText(packet.bytes, start + hardware), port: undefined };
  }
  return undefined;
}

function protocolText(packet: PacketView, layer: Layer | undefined): string {
  if (packet.stopped === STOP.unsupported) return selectorText(packet.next);
  if (layer === undefined) return `link type ${packet.linkType}`;
  // A later fragment, or nothing behind the headers: the protocol they name.
  if (packet.ipProtocol >= 0 && packet.transportOffset < 0) return ipProtocolText(packet);
  if (layer === llc) return llcText(packet.bytes, packet.layerOffsets[packet.layerCount - 1] as number, packet.end);
  return layer.title;
}

function ipProtocolText(packet: PacketView): string {
  const named: readonly Layer[] = LAYERS;
  const known = named.find((layer) => layer.ipProtocols?.includes(packet.ipProtocol));
  const isIp = known === ipv4 || known === ipv6;
  return (isIp ? undefined : known?.title) ?? selectorText(SPACE.ipProtocol + packet.ipProtocol);
}

/** Texts of the tunnels around the packet; behind the first one in IP the outermost packet's addresses. */
function tunnelWords(packet: PacketView): (string | Address)[] {
  const words: (string | Address)[] = [];
  const outer = packet.outerNetworkOffset;
  let toldOuter = outer < 0;
  const last = packet.layerCount - (packet.stopped === STOP.none || packet.stopped === STOP.unsupported ? 0 : 1);
  let pending: string | undefined;
  for (let depth = 0; depth < last; depth += 1) {
    const text = tunnelText(packet, depth);
    if (text === undefined) continue;
    // The innermost tag is the packet's own: it stands with its words.
    if (text.startsWith('vlan ')) {
      if (pending !== undefined) words.push(pending);
      pending = text;
      continue;
    }
    if (pending !== undefined) words.push(pending);
    pending = undefined;
    words.push(text);
    if (toldOuter || (packet.layerOffsets[depth] as number) <= outer) continue;
    toldOuter = true;
    const { bytes, outerAddressLength: length } = packet;
    const address = (at: number): Address => ({ address: addressText(bytes, at, length) });
    words.push('from', address(packet.outerSourceAddress), 'to', address(packet.outerDestinationAddress));
  }
  return words;
}

function vlanWords(packet: PacketView): string[] {
  return packet.vlan < 0 ? [] : [`vlan ${packet.vlan}`];
}

function protocolWords(packet: PacketView, layer: Layer | undefined): (string | Address | Endpoint)[] {
  // The words of a header that is cut are not known.
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
    default: {
      const carried = carriedText(packet);
      return carried === undefined ? [] : [carried];
    }
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

function icmpWords(packet: PacketView, version: 4 | 6): (string | Address | Endpoint)[] {
  const { bytes, icmpType, icmpCode, transportOffset } = packet;
  const words: (string | Address | Endpoint)[] = [icmpText(version, icmpType, icmpCode)];
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
  return [...words, ...quoteWords(packet)];
}

const QUOTE = new PacketView();

/** What an error is about: `mtu 1400 for 10.0.0.1:5000 > 10.0.0.2:53 UDP`. */
function quoteWords(packet: PacketView): (string | Address | Endpoint)[] {
  const words: (string | Address | Endpoint)[] = [];
  const mtu = nextHopMtu(packet);
  if (mtu >= 0) words.push(`mtu ${mtu}`);
  const target = redirectTarget(packet);
  if (target >= 0) words.push('to', { address: addressText(packet.bytes, target, 4) });
  if (!quoted(packet, QUOTE)) return words;
  const source = endpoint(QUOTE, QUOTE.sourceAddress, QUOTE.sourcePort, HARDWARE_SOURCE);
  const destination = endpoint(QUOTE, QUOTE.destinationAddress, QUOTE.destinationPort, 0);
  if (source === undefined || destination === undefined) return words;
  words.push('for', source, '>', destination, protocolText(QUOTE, layerAt(QUOTE, QUOTE.layerCount - 1)));
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
