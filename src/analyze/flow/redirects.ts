import { LINK_TYPE } from '../../wire/link-type.ts';
import { u8, u16 } from '../bytes.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { REDIRECT_CANDIDATES } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import { FLOW_I32 } from './flow-layout.ts';
import type { FlowTable } from './flow-table.ts';
import { KIND_REDIRECTED } from './flow-view.ts';

/** SYN and ACK of TCP's flags (RFC 9293, section 3.1): a packet with both accepts a connection. */
const SYN_ACK = 0x12;

/** A flow's key as FlowTable takes it. */
export interface FlowKey {
  readonly a: number;
  readonly b: number;
  readonly ports: number;
  readonly kind: number;
}

/** The key of one half of a redirected flow: which flow it is, and whether directions of the key are the flow's the other way round. */
export interface RedirectedHalf {
  readonly key: FlowKey;
  readonly slot: number;
  readonly flips: boolean;
}

/** Where a redirected flow's packets went: the proxy's loopback address, as Hosts numbers it, and its port. */
export interface Redirect {
  readonly host: number;
  readonly port: number;
}

/** Numbers of addresses: of 4 or 16 bytes. */
export interface HostNumbers {
  number(bytes: Uint8Array, at: number, length: number): number;
}

/** Whether a packet of one half answers what the other half's sender, an endpoint of the flow in a slot, has sent. */
export type Proof = (slot: number, sender: 0 | 1, packet: PacketView) => boolean;

/** A flow of which one half was seen. */
interface Candidate {
  readonly slot: number;
  /** Which endpoint of the flow is the client. */
  readonly client: 0 | 1;
}

interface Known {
  readonly redirect: Redirect;
  readonly halves: readonly RedirectedHalf[];
}

/**
 * Flows that netfilter's REDIRECT sends to a proxy on the same machine, as sidecars have it. On the loopback interface the client's
 * packets go to the proxy's address (127.0.0.1:15001), and the answers already come from the address that the client called:
 * translation is undone before they are seen there. Both halves are one flow, to the address that was called.
 *
 * Only packets from an address that is not loopback to one that is begin such a flow: nothing else sends these.
 */
export class Redirects {
  readonly #table: FlowTable;
  readonly #hosts: HostNumbers;
  readonly #proves: Proof;
  /** By the client's end: flows of which one half was seen, to the proxy, and from the address that was called. */
  readonly #towards = new Map<string, Candidate>();
  readonly #answers = new Map<string, Candidate>();
  readonly #clients = new Map<number, string>();
  /** By hash of their keys. */
  readonly #halves = new Map<number, RedirectedHalf[]>();
  readonly #known = new Map<number, Known>();

  constructor(table: FlowTable, hosts: HostNumbers, proves: Proof) {
    this.#table = table;
    this.#hosts = hosts;
    this.#proves = proves;
  }

  /** Where a flow's packets were redirected to; undefined for a flow that is not redirected. */
  of(slot: number): Redirect | undefined {
    return this.#known.get(slot)?.redirect;
  }

  /** Whether there are flows that may yet show to be half of one. */
  get isWaiting(): boolean {
    return this.#clients.size > 0;
  }

  /** The flow of which a key is a half. */
  find(a: number, b: number, ports: number, kind: number): RedirectedHalf | undefined {
    if (this.#halves.size === 0) return undefined;
    return this.#halves.get(hashOf(a, b, ports))?.find(({ key }) => isSame(key, a, b, ports, kind));
  }

  /**
   * A packet with a key that no flow has: it may be the other half of one.
   * @param direction the packet's, by its key
   */
  joined(key: FlowKey, direction: 0 | 1, packet: PacketView): RedirectedHalf | undefined {
    if (this.#towards.size > 0) {
      const candidate = this.#towards.get(endText(key, direction === 0 ? 1 : 0));
      if (candidate !== undefined) return this.#joinAnswer(candidate, key, direction, packet);
    }
    if (this.#answers.size > 0 && isTowardsProxy(packet)) {
      const candidate = this.#answers.get(endText(key, direction));
      if (candidate !== undefined) return this.#joinTowards(candidate, key, direction, packet);
    }
    return undefined;
  }

  /** A flow begins that may be half of one (mayBeRedirected). @param direction the packet's, by its key */
  opened(slot: number, key: FlowKey, direction: 0 | 1, packet: PacketView): void {
    const isTowards = isTowardsProxy(packet);
    // What accepts a connection from a loopback address: it goes to a client.
    if (isTowards && isAccepting(packet)) return;
    const halves = isTowards ? this.#towards : this.#answers;
    if (halves.size >= REDIRECT_CANDIDATES) return;
    const client = isTowards ? direction : direction === 0 ? 1 : 0;
    const text = endText(key, client);
    halves.set(text, { slot, client });
    this.#clients.set(slot, text);
  }

  /** The flow in a slot has ended. */
  forget(slot: number): void {
    const client = this.#clients.get(slot);
    if (client !== undefined) this.#forgetCandidate(slot, client);
    const known = this.#known.get(slot);
    if (known === undefined) return;
    this.#known.delete(slot);
    for (const half of known.halves) this.#forgetHalf(half);
  }

  #joinAnswer(
    { slot, client }: Candidate,
    key: FlowKey,
    direction: 0 | 1,
    packet: PacketView,
  ): RedirectedHalf | undefined {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const server = client === 0 ? 1 : 0;
    if (ints[base + FLOW_I32.packets + server] !== 0 || !this.#proves(slot, client, packet)) return undefined;
    const own = keyAt(ints, base);
    const redirect = {
      host: ints[base + FLOW_I32.hosts + server] as number,
      port: server === 0 ? own.ports >>> 16 : own.ports & 0xffff,
    };
    const towards = { key: own, slot, flips: false };
    const answers = { key, slot, flips: direction !== server };
    // Before, its packets may have been a server's to a client with a loopback address.
    ints[base + FLOW_I32.client] = client;
    // From here on both are found by their halves: the flow itself is one to the address that was called.
    ints[base + FLOW_I32.kind] = own.kind | KIND_REDIRECTED;
    ints[base + FLOW_I32.ports] =
      server === 0
        ? (packet.sourcePort << 16) | (own.ports & 0xffff)
        : (own.ports & 0xffff0000) | (packet.sourcePort & 0xffff);
    ints[base + FLOW_I32.hosts + server] = this.#hosts.number(packet.bytes, packet.sourceAddress, packet.addressLength);
    this.#add(slot, redirect, [towards, answers]);
    return answers;
  }

  /** The answers were seen first: the flow has the address that was called. */
  #joinTowards(
    { slot, client }: Candidate,
    key: FlowKey,
    direction: 0 | 1,
    packet: PacketView,
  ): RedirectedHalf | undefined {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    if (ints[base + FLOW_I32.client] !== client || ints[base + FLOW_I32.packets + client] !== 0) return undefined;
    if (!this.#proves(slot, client === 0 ? 1 : 0, packet)) return undefined;
    const redirect = {
      host: this.#hosts.number(packet.bytes, packet.destinationAddress, packet.addressLength),
      port: packet.destinationPort,
    };
    const towards = { key, slot, flips: direction !== client };
    this.#add(slot, redirect, [towards]);
    return towards;
  }

  #add(slot: number, redirect: Redirect, halves: readonly RedirectedHalf[]): void {
    const client = this.#clients.get(slot);
    if (client !== undefined) this.#forgetCandidate(slot, client);
    this.#known.set(slot, { redirect, halves });
    for (const half of halves) {
      const { a, b, ports } = half.key;
      const hash = hashOf(a, b, ports);
      const others = this.#halves.get(hash);
      if (others === undefined) this.#halves.set(hash, [half]);
      else others.push(half);
    }
  }

  #forgetCandidate(slot: number, client: string): void {
    this.#clients.delete(slot);
    for (const halves of [this.#towards, this.#answers]) if (halves.get(client)?.slot === slot) halves.delete(client);
  }

  #forgetHalf(half: RedirectedHalf): void {
    const hash = hashOf(half.key.a, half.key.b, half.key.ports);
    const left = this.#halves.get(hash)?.filter((other) => other !== half) ?? [];
    if (left.length > 0) this.#halves.set(hash, left);
    else this.#halves.delete(hash);
  }
}

/** Whether a flow's first packet can be one of a redirected flow. Nearly all are not. */
export function mayBeRedirected(packet: PacketView): boolean {
  return isTowardsProxy(packet) || isFromElsewhereOnLoopback(packet);
}

/** Whether a packet accepts a connection. */
function isAccepting({ ipProtocol, tcpFlags }: PacketView): boolean {
  return ipProtocol === IP_PROTOCOL.tcp && (tcpFlags & SYN_ACK) === SYN_ACK;
}

/** Whether a packet goes from elsewhere to a loopback address: from this machine, redirected. */
function isTowardsProxy({ bytes, sourceAddress, destinationAddress, addressLength }: PacketView): boolean {
  return isLoopback(bytes, destinationAddress, addressLength) && !isLoopback(bytes, sourceAddress, addressLength);
}

/** Whether a packet on the loopback interface has no loopback address. */
function isFromElsewhereOnLoopback(packet: PacketView): boolean {
  const { bytes, sourceAddress, destinationAddress, addressLength } = packet;
  return (
    isOnLoopback(packet) &&
    !isLoopback(bytes, sourceAddress, addressLength) &&
    !isLoopback(bytes, destinationAddress, addressLength)
  );
}

/** Whether an address of 4 or 16 bytes is one of 127.0.0.0/8, or ::1. */
export function isLoopback(bytes: Uint8Array, at: number, length: number): boolean {
  if (length === 4) return u8(bytes, at) === 127;
  if (length !== 16 || u8(bytes, at + 15) !== 1) return false;
  for (let index = 0; index < 15; index += 1) if (u8(bytes, at + index) !== 0) return false;
  return true;
}

/** ARPHRD_LOOPBACK of linux/if_arp.h, and where the cooked headers have the type of the hardware. */
const HARDWARE_LOOPBACK = 772;
const SLL_HARDWARE = 2;
const SLL2_HARDWARE = 8;
/** Both MAC addresses of a frame: all zero on Linux's loopback interface. */
const MAC_ADDRESSES = 12;

/** Whether a packet was captured on a loopback interface of Linux. */
export function isOnLoopback({ bytes, offset, caplen, linkType }: PacketView): boolean {
  if (caplen < MAC_ADDRESSES) return false;
  if (linkType === LINK_TYPE.linuxSll2) return u16(bytes, offset + SLL2_HARDWARE) === HARDWARE_LOOPBACK;
  if (linkType === LINK_TYPE.linuxSll) return u16(bytes, offset + SLL_HARDWARE) === HARDWARE_LOOPBACK;
  if (linkType !== LINK_TYPE.ethernet) return false;
  for (let index = 0; index < MAC_ADDRESSES; index += 1) if (u8(bytes, offset + index) !== 0) return false;
  return true;
}

function keyAt(ints: Int32Array, base: number): FlowKey {
  return {
    a: ints[base + FLOW_I32.addressA] as number,
    b: ints[base + FLOW_I32.addressB] as number,
    ports: ints[base + FLOW_I32.ports] as number,
    kind: ints[base + FLOW_I32.kind] as number,
  };
}

function isSame(key: FlowKey, a: number, b: number, ports: number, kind: number): boolean {
  return key.a === a && key.b === b && key.ports === ports && key.kind === kind;
}

/** One end of a key: its address, its port, and what kind of flow. */
function endText({ a, b, ports, kind }: FlowKey, end: 0 | 1): string {
  return end === 0 ? `${a} ${ports >>> 16} ${kind}` : `${b} ${ports & 0xffff} ${kind}`;
}

function hashOf(a: number, b: number, ports: number): number {
  return Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b) ^ ports;
}
