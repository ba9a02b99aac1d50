import { normalLinkType, packetTypeOffset, TO_OTHER_HOST } from '../../wire/link-type.ts';
import { u8 } from '../bytes.ts';
import { geneve } from '../layers/geneve.ts';
import { gre } from '../layers/gre.ts';
import { gtpU } from '../layers/gtp-u.ts';
import { LAYER_NUMBERS, LAYERS } from '../layers/index.ts';
import { ipv4 } from '../layers/ipv4.ts';
import { ipv6 } from '../layers/ipv6.ts';
import { DIRECTION, type Direction, NEXT_NONE, SPACE, STOP, type Stop } from '../layers/layer.ts';
import { teredo } from '../layers/teredo.ts';
import { vxlan } from '../layers/vxlan.ts';
import { LAYERS_MAXIMUM, TUNNELS_MAXIMUM } from '../limits.ts';

/**
 * One packet and its decoded layers: a view that is set, decoded, read and set again; nothing of it may be kept
 * beyond the call that got it. Offsets count from the start of `bytes` and are -1 for what the packet does not have, lengths
 * are bytes. Where layers repeat (tunnels) addresses, ports and numbers are those of the innermost one.
 */
export class PacketView {
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  /** Bytes captured, and bytes on the wire. */
  caplen = 0;
  origlen = 0;
  /** Nanoseconds since 1970 as two uint32 halves. */
  timeHigh = 0;
  timeLow = 0;
  interfaceId = 0;
  /** LINKTYPE_ value, normalised. */
  linkType = 0;
  /** From the file or, where the file has none, from the link layer. */
  direction: Direction = DIRECTION.unknown;

  layerCount = 0;
  /** By depth: the layer's number in LAYERS, and where its header starts. */
  readonly layerNumbers = new Uint8Array(LAYERS_MAXIMUM);
  readonly layerOffsets = new Int32Array(LAYERS_MAXIMUM);
  stopped: Stop = STOP.none;

  /** Where decoding stands: first byte not yet decoded. After decoding, where the payload starts. */
  cursor = 0;
  /** End of what was captured of the innermost packet: the frame's padding is outside. */
  end = 0;
  /** Where the innermost packet ends on the wire by its own length; past `end` when the capture cut it. */
  wireEnd = 0;
  /** What follows, as a selector (layers/layer.ts); kept when nothing decodes it. */
  next: number = NEXT_NONE;

  /** Packets around the innermost one: 0 without a tunnel. MPLS directly on Ethernet does not count. */
  tunnelDepth = 0;

  etherType = -1;
  /** The innermost VLAN id of the innermost packet. */
  vlan = -1;
  networkOffset = -1;
  /** 4 or 6; 0 without IP. */
  ipVersion = 0;
  /** Of addressLength bytes each: 4, 16, or 0 without addresses. */
  sourceAddress = -1;
  destinationAddress = -1;
  addressLength = 0;
  /** The protocol above IP, behind IPv6 extension headers. */
  ipProtocol = -1;
  hopLimit = -1;
  /** The IP identification of a fragment or of any IPv4 packet, int32. */
  identification = 0;
  /** Bytes before this fragment; what is above a later fragment is not decoded. */
  fragmentOffset = 0;
  moreFragments = false;

  transportOffset = -1;
  sourcePort = -1;
  destinationPort = -1;
  tcpFlags = 0;
  /** int32: compare with `(a - b) | 0`, print with `>>> 0`. */
  tcpSequence = 0;
  tcpAcknowledgment = 0;
  tcpWindow = 0;
  /** Bytes of TCP options, which start at transportOffset + 20. */
  tcpOptionsLength = 0;
  /** By the UDP header, header included. */
  udpLength = 0;
  /** Of ICMP or ICMPv6. */
  icmpType = -1;
  icmpCode = -1;
  arpOperation = -1;

  /** The interface saw it, and it is for another host: it neither enters nor leaves what the interface belongs to. Only cooked headers tell. */
  get isForOthers(): boolean {
    const at = packetTypeOffset(this.linkType);
    return at >= 0 && at < this.caplen && u8(this.bytes, this.offset + at) === TO_OTHER_HOST;
  }

  /** Which way it passes between the interface and what that belongs to; unknown where the capture does not tell, and for others. */
  get passes(): Direction {
    return this.direction === DIRECTION.unknown || this.isForOthers ? DIRECTION.unknown : this.direction;
  }

  /** Bytes above the last decoded header, on the wire: for TCP the segment's length. */
  get payloadLength(): number {
    return this.wireEnd > this.cursor ? this.wireEnd - this.cursor : 0;
  }

  /** How many of those were captured; they start at `cursor`. */
  get payloadCaptured(): number {
    return this.end > this.cursor ? this.end - this.cursor : 0;
  }

  /** Where the IP header of the outermost packet of a tunnel starts; -1 without a tunnel. */
  get outerNetworkOffset(): number {
    if (this.tunnelDepth === 0) return -1;
    for (let depth = 0; depth < this.layerCount; depth += 1) {
      const number = this.layerNumbers[depth];
      if (number === IPV4 || number === IPV6) return this.layerOffsets[depth] as number;
    }
    return -1;
  }

  /** The name for people of the outermost tunnel's header, such as `VXLAN`; undefined without a tunnel, or where IP follows IP. */
  get tunnelTitle(): string | undefined {
    if (this.tunnelDepth === 0) return undefined;
    let isBehind = false;
    for (let depth = 0; depth < this.layerCount; depth += 1) {
      const number = this.layerNumbers[depth] as number;
      const isIp = number === IPV4 || number === IPV6;
      if (isBehind && isIp) return undefined;
      if (isBehind && TUNNELS.has(number)) return TUNNELS.get(number);
      isBehind ||= isIp;
    }
    return undefined;
  }

  /** Bytes of an address of the outermost packet: 4, 16, or 0 without a tunnel. */
  get outerAddressLength(): number {
    const at = this.outerNetworkOffset;
    return at < 0 ? 0 : u8(this.bytes, at) >> 4 === 4 ? 4 : 16;
  }

  get outerSourceAddress(): number {
    const at = this.outerNetworkOffset;
    return at < 0 ? -1 : at + (this.outerAddressLength === 4 ? 12 : 8);
  }

  get outerDestinationAddress(): number {
    const at = this.outerNetworkOffset;
    return at < 0 ? -1 : this.outerSourceAddress + this.outerAddressLength;
  }

  /** Point the view at a packet. @param linkType any LINKTYPE_ or DLT_ value */
  set(
    bytes: Uint8Array,
    offset: number,
    caplen: number,
    origlen: number,
    timeHigh: number,
    timeLow: number,
    interfaceId: number,
    linkType: number,
    direction: Direction,
  ): void {
    this.bytes = bytes;
    this.offset = offset;
    this.caplen = caplen;
    this.origlen = origlen;
    this.timeHigh = timeHigh;
    this.timeLow = timeLow;
    this.interfaceId = interfaceId;
    this.linkType = normalLinkType(linkType);
    this.direction = direction;
  }

  /** Whether the layer's next `length` bytes were captured; when not, decoding stops here, with the reason in `stopped`. */
  has(length: number): boolean {
    const needed = this.cursor + length;
    if (needed <= this.end) return true;
    this.stopped = needed <= this.wireEnd ? STOP.truncated : STOP.malformed;
    return false;
  }

  /** What the layer reads contradicts itself. */
  malformed(): void {
    this.stopped = STOP.malformed;
  }

  /** What the layer reads is not its own header. */
  decline(): void {
    this.stopped = STOP.declined;
  }

  /**
   * A packet within the one decoded so far begins: from here on the view speaks of it.
   * @returns false when it is not to be decoded: of what was fragmented only when it is whole, and not past the bound
   */
  enterTunnel(): boolean {
    if (this.moreFragments) {
      this.stopped = STOP.declined;
      return false;
    }
    const depth = this.tunnelDepth + 1;
    if (depth > TUNNELS_MAXIMUM) {
      this.stopped = STOP.limit;
      return false;
    }
    this.forgetNetwork();
    this.tunnelDepth = depth;
    this.vlan = -1;
    return true;
  }

  /** Leave out what is behind `wireEnd`: an IP length, behind which Ethernet's padding lies. A longer one is not believed. */
  narrow(wireEnd: number): void {
    if (wireEnd < this.wireEnd) this.wireEnd = wireEnd;
    if (wireEnd < this.end) this.end = wireEnd;
  }

  /** Begin anew. */
  forgetNetwork(): void {
    this.tunnelDepth = 0;
    this.networkOffset = -1;
    this.ipVersion = 0;
    this.sourceAddress = -1;
    this.destinationAddress = -1;
    this.addressLength = 0;
    this.ipProtocol = -1;
    this.hopLimit = -1;
    this.identification = 0;
    this.fragmentOffset = 0;
    this.moreFragments = false;
    this.transportOffset = -1;
    this.sourcePort = -1;
    this.destinationPort = -1;
    this.tcpFlags = 0;
    this.tcpSequence = 0;
    this.tcpAcknowledgment = 0;
    this.tcpWindow = 0;
    this.tcpOptionsLength = 0;
    this.udpLength = 0;
    this.icmpType = -1;
    this.icmpCode = -1;
    this.arpOperation = -1;
  }
}

const DECODERS = LAYERS.map((layer) => layer.decode);
const IPV4 = LAYERS.indexOf(ipv4);
const IPV6 = LAYERS.indexOf(ipv6);
/** By layer number: what tunnels are called. */
const TUNNELS: ReadonlyMap<number, string> = new Map(
  [vxlan, geneve, gre, gtpU, teredo].map((layer) => [LAYERS.indexOf(layer), layer.title]),
);

/**
 * Decode the packet the view was set to, down to its payload or to where it stops. Any bytes are valid input: what was
 * decoded before the damage stays, `stopped` has the reason and the last layer the place.
 */
export function decodePacket(packet: PacketView): void {
  packet.forgetNetwork();
  packet.etherType = -1;
  packet.vlan = -1;
  packet.stopped = STOP.none;
  packet.cursor = packet.offset;
  packet.end = packet.offset + packet.caplen;
  packet.wireEnd = packet.offset + Math.max(packet.origlen, packet.caplen);
  packet.next = packet.linkType < SPACE.etherType ? SPACE.linkType + packet.linkType : NEXT_NONE;
  decodeLayers(packet, 0);
}

/**
 * Decode on from `packet.cursor` with the layer that `packet.next` names.
 * @param before layers decoded so far
 */
export function decodeLayers(packet: PacketView, before: number): void {
  const { layerNumbers, layerOffsets } = packet;
  let depth = before;
  let { next } = packet;
  let number = LAYER_NUMBERS[next] ?? 0;
  for (;;) {
    if (number === 0) {
      if (next >= SPACE.udpPort) packet.next = NEXT_NONE;
      else packet.stopped = STOP.unsupported;
      break;
    }
    if (depth === LAYERS_MAXIMUM) {
      packet.stopped = STOP.limit;
      break;
    }
    layerNumbers[depth] = number - 1;
    layerOffsets[depth] = packet.cursor;
    depth += 1;
    packet.next = NEXT_NONE;
    (DECODERS[number - 1] as (packet: PacketView) => void)(packet);
    next = packet.next;
    if (packet.stopped !== STOP.none) {
      if (packet.stopped === STOP.declined) {
        packet.stopped = STOP.none;
        packet.next = NEXT_NONE;
        depth -= 1;
      }
      break;
    }
    if (next === NEXT_NONE) break;
    number = LAYER_NUMBERS[next] ?? 0;
  }
  packet.layerCount = depth;
}
