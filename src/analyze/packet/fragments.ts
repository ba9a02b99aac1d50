import { LINK_TYPE } from '../../wire/link-type.ts';
import { u8, u16 } from '../bytes.ts';
import { LAYERS } from '../layers/index.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { ipv4 } from '../layers/ipv4.ts';
import { ipv6Fragment } from '../layers/ipv6-fragment.ts';
import { NEXT_NONE, SPACE, STOP } from '../layers/layer.ts';
import {
  FRAGMENT_AGE_NS,
  FRAGMENT_COPY_NS,
  FRAGMENT_TOTAL_BYTES,
  FRAGMENTED_MAXIMUM,
  TUNNELS_MAXIMUM,
} from '../limits.ts';
import { Fragmented, KEPT, signatureOf } from './fragmented.ts';
import { decodeLayers, decodePacket, PacketView } from './packet.ts';

const IPV4 = LAYERS.indexOf(ipv4);
const IPV6_FRAGMENT = LAYERS.indexOf(ipv6Fragment);

/** The longest a fragmented datagram may be behind its IP header: the largest length that 16 bits can hold. */
const DATAGRAM_MAXIMUM = 65_535;

const IPV6_HEADER = 40;
const IPV6_FRAGMENT_HEADER = 8;

/** Interface id, interface index, two addresses, identification, protocol. */
const KEY_MAXIMUM = 4 + 4 + 32 + 4 + 1;

/** What is kept of a datagram that was put together: its fragments' signatures, and when the last one came, in ns. */
interface Finished {
  readonly signatures: readonly number[];
  readonly ended: number;
}

/**
 * Puts fragmented IPv4 and IPv6 datagrams together (RFC 791, RFC 8200 section 4.5). Where fragments overlap the bytes
 * that came first stay; of IPv6 the datagram is dropped (RFC 5722). A datagram seen at two interfaces is put together
 * at each; one seen twice at one interface (a bridge and its port) is put together once.
 */
export class Fragments {
  /** Datagrams put together; given up with fragments missing; of those, because too many were under way. */
  complete = 0;
  incomplete = 0;
  evicted = 0;
  /** Fragments with no new bytes; with some known bytes; that contradict their datagram or frame. */
  duplicates = 0;
  overlaps = 0;
  malformed = 0;
  /** The number of the datagram that the fragment last added belongs to, as long as that is under way; else -1. */
  waiting = -1;
  /** The number of the one that it completed; -1 where it did not. */
  completed = -1;
  /** Called with the number of a datagram that was given up. */
  onGivenUp: ((datagram: number) => void) | undefined;
  readonly #underWay = new Map<string, Fragmented>();
  /** Datagrams put together lately, without their bytes: copies of their fragments may still come. */
  readonly #lately = new Map<string, Finished>();
  readonly #view = new PacketView();
  readonly #key = Buffer.alloc(KEY_MAXIMUM);
  /** Datagrams begun. */
  #begun = 0;
  #held = 0;
  #buffer = new Uint8Array(0);

  /** Datagrams of which fragments are missing still. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /**
   * Take a decoded fragment (`moreFragments`, or a `fragmentOffset` above 0).
   * @returns the whole datagram, decoded, when this fragment completes it: a view with the layers and the link of its
   * first fragment and the time of this one, over a copy of the bytes, which is valid until the next call
   */
  add(packet: PacketView): PacketView | undefined {
    this.waiting = -1;
    this.completed = -1;
    let fragment = packet;
    // A fragment may be of a packet that carried fragments.
    for (let depth = 0; depth <= TUNNELS_MAXIMUM; depth += 1) {
      const whole = this.#add(fragment, depth);
      if (whole === undefined || !isFragment(whole)) return whole;
      fragment = whole;
    }
    return undefined;
  }

  /** No more comes: what is under way stays incomplete. */
  end(): void {
    for (const datagram of this.#underWay.values()) this.#forget(datagram);
  }

  /** @param depth how many datagrams the fragment was in that were fragmented themselves */
  #add(packet: PacketView, depth: number): PacketView | undefined {
    const now = packet.timeHigh * 0x1_0000_0000 + packet.timeLow;
    this.#expire(now);
    const index = fragmentLayer(packet);
    if (index < 0) return undefined;
    const start = headerEnd(packet, index);
    const { networkOffset, fragmentOffset, moreFragments, offset } = packet;
    const claimed =
      packet.ipVersion === 4
        ? networkOffset + u16(packet.bytes, networkOffset + 2)
        : networkOffset + IPV6_HEADER + u16(packet.bytes, networkOffset + 4);
    if (start > offset + packet.caplen) return undefined;
    let length = claimed - start;
    // RFC 8200 has a fragment but the last count whole eights; Linux cuts an IPv4 one that does not.
    const isOdd = moreFragments && (length & 7) !== 0;
    if (isOdd && packet.ipVersion === 4) length &= ~7;
    if (
      length <= 0 ||
      (isOdd && packet.ipVersion === 6) ||
      claimed > offset + Math.max(packet.origlen, packet.caplen) ||
      fragmentOffset + length > DATAGRAM_MAXIMUM
    ) {
      this.malformed += 1;
      return undefined;
    }
    const captured = Math.max(0, Math.min(length, offset + packet.caplen - start));
    const key = this.#keyOf(packet);
    if (this.#isCopy(key, now, signatureOf(packet.bytes, start, captured, fragmentOffset, length))) {
      this.duplicates += 1;
      return undefined;
    }
    const datagram = this.#datagram(key, now);
    if (datagram.dropped) return undefined;
    const before = datagram.held;
    const kept = datagram.keep(packet.bytes, start, captured, fragmentOffset, length, !moreFragments);
    this.#held += datagram.held - before;
    if (kept === KEPT.refused) {
      this.malformed += 1;
      return undefined;
    }
    if (kept === KEPT.duplicate) this.duplicates += 1;
    if (kept === KEPT.overlap) {
      this.overlaps += 1;
      if (packet.ipVersion === 6) {
        this.#held -= datagram.held;
        datagram.drop();
        return undefined;
      }
    }
    if (fragmentOffset === 0 && datagram.prefix === undefined) {
      // Not bytes.slice: a Buffer's does not copy.
      datagram.prefix = Uint8Array.from(packet.bytes.subarray(offset, start));
      datagram.prefixLayers = index + 1;
      datagram.prefixLength = packet.origlen;
      this.#held += start - offset;
    }
    if (datagram.prefix !== undefined && datagram.complete) {
      this.#remember(datagram, now);
      if (depth === 0) this.completed = datagram.number;
      return this.#whole(datagram, datagram.prefix, packet);
    }
    this.#bound(datagram);
    if (depth === 0) this.waiting = datagram.number;
    return undefined;
  }

  /** Whether it is a fragment of a datagram that was put together a moment ago. */
  #isCopy(key: string, now: number, signature: number): boolean {
    const known = this.#lately.get(key);
    return known !== undefined && now - known.ended <= FRAGMENT_COPY_NS && known.signatures.includes(signature);
  }

  #datagram(key: string, now: number): Fragmented {
    const known = this.#underWay.get(key);
    if (known !== undefined && now - known.began <= FRAGMENT_AGE_NS) return known;
    if (known !== undefined) this.#forget(known);
    const datagram = new Fragmented(key, this.#begun, now);
    this.#begun += 1;
    this.#underWay.set(key, datagram);
    return datagram;
  }

  #keyOf(packet: PacketView): string {
    const { bytes, addressLength } = packet;
    const key = this.#key;
    key.writeInt32LE(packet.interfaceId | 0, 0);
    key.fill(0, 4, 8);
    // The one interface of a capture of all of them sees each packet at several.
    if (packet.linkType === LINK_TYPE.linuxSll2) key.set(bytes.subarray(packet.offset + 4, packet.offset + 8), 4);
    key.set(bytes.subarray(packet.sourceAddress, packet.sourceAddress + addressLength), 8);
    key.set(bytes.subarray(packet.destinationAddress, packet.destinationAddress + addressLength), 8 + addressLength);
    const at = 8 + 2 * addressLength;
    key.writeInt32LE(packet.identification, at);
    key[at + 4] = packet.ipVersion === 4 ? u8(bytes, packet.networkOffset + 9) : IP_PROTOCOL.fragment;
    return key.toString('latin1', 0, at + 5);
  }

  /** Give up those whose first fragment is too old. */
  #expire(now: number): void {
    for (const datagram of this.#underWay.values()) {
      if (now - datagram.began <= FRAGMENT_AGE_NS) return;
      this.#forget(datagram);
    }
  }

  #remember({ key, signatures }: Fragmented, ended: number): void {
    this.#lately.delete(key);
    this.#lately.set(key, { signatures, ended });
    for (const [oldest, known] of this.#lately) {
      if (this.#lately.size <= FRAGMENTED_MAXIMUM && ended - known.ended <= FRAGMENT_COPY_NS) return;
      this.#lately.delete(oldest);
    }
  }

  /** Give up the oldest until there is room. */
  #bound(kept: Fragmented): void {
    for (const datagram of this.#underWay.values()) {
      if (this.#underWay.size <= FRAGMENTED_MAXIMUM && this.#held <= FRAGMENT_TOTAL_BYTES) return;
      if (datagram === kept) continue;
      this.evicted += 1;
      this.#forget(datagram);
    }
  }

  #forget(datagram: Fragmented): void {
    this.incomplete += 1;
    this.#remove(datagram);
    this.onGivenUp?.(datagram.number);
  }

  #remove(datagram: Fragmented): void {
    this.#held -= datagram.held;
    this.#underWay.delete(datagram.key);
  }

  /** The datagram as a packet: the headers in front of its first fragment, then its bytes, decoded from there on. */
  #whole(datagram: Fragmented, prefix: Uint8Array, packet: PacketView): PacketView {
    this.#remove(datagram);
    this.complete += 1;
    const { content, prefixLayers, prefixLength, total } = datagram;
    const start = prefix.length;
    const captured = Math.min(total, datagram.cutAt);
    if (this.#buffer.length < start + total) this.#buffer = new Uint8Array(start + total);
    this.#buffer.set(prefix);
    this.#buffer.set(content.subarray(0, captured), start);
    const { timeHigh, timeLow, interfaceId, linkType, direction } = packet;
    const view = this.#view;
    view.set(this.#buffer, 0, start, prefixLength, timeHigh, timeLow, interfaceId, linkType, direction);
    // Decoding ends at the end of the prefix, and continues behind a header that no longer belongs to a fragment.
    decodePacket(view);
    view.caplen = start + captured;
    view.origlen = start + total;
    view.cursor = start;
    view.end = start + captured;
    view.wireEnd = start + total;
    view.fragmentOffset = 0;
    view.moreFragments = false;
    view.transportOffset = -1;
    view.stopped = STOP.none;
    const protocol = protocolBehind(view, prefixLayers - 1);
    view.ipProtocol = protocol;
    view.layerCount = prefixLayers;
    view.next = NEXT_NONE;
    if (protocol === IP_PROTOCOL.none) return view;
    view.next = SPACE.ipProtocol + protocol;
    decodeLayers(view, prefixLayers);
    return view;
  }
}

function isFragment(packet: PacketView): boolean {
  return packet.moreFragments || packet.fragmentOffset > 0;
}

/** The layer that describes the fragment: IPv4's header or IPv6's fragment header; -1 where there is none. */
function fragmentLayer(packet: PacketView): number {
  if (!isFragment(packet)) return -1;
  const number = packet.ipVersion === 4 ? IPV4 : IPV6_FRAGMENT;
  for (let index = packet.layerCount - 1; index >= 0; index -= 1) {
    if (packet.layerNumbers[index] === number) return index;
  }
  return -1;
}

/** Where the fragmented bytes start. */
function headerEnd(packet: PacketView, index: number): number {
  const at = packet.layerOffsets[index] as number;
  return at + (packet.ipVersion === 4 ? (u8(packet.bytes, at) & 0xf) * 4 : IPV6_FRAGMENT_HEADER);
}

function protocolBehind(packet: PacketView, index: number): number {
  const at = packet.layerOffsets[index] as number;
  return u8(packet.bytes, packet.ipVersion === 4 ? at + 9 : at);
}
