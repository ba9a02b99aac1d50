import { u16 } from '../bytes.ts';
import { ConnectionLegs, type LegShown, legHash } from '../flow/connection-legs.ts';
import type { OtherLeg } from '../flow/flow-facts.ts';
import { FLOW_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { LEG_CONTENT_BYTES, LEG_DATAGRAM_WINDOW_NS } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import type { Clock } from './clock.ts';

/** A first datagram with fewer bytes than this is not distinctive. */
const CONTENT_MINIMUM = 12;

/**
 * Recognises UDP flows that are seen on both sides of a NAT by their first datagram: NAT keeps its content, its length, IPv4's
 * identification and, but for masquerading, the client's port. A client that asks two servers the same at once (musl's
 * resolver does) sends both through one interface; the legs of one flow come through two, or have an identification.
 */
export class DatagramLegs {
  readonly #table: FlowTable;
  readonly #clock: Clock;
  readonly #first: ConnectionLegs;
  readonly #others: (OtherLeg | undefined)[] = [];
  /** Any flow was joined so far: of most captures none is. */
  #hasJoined = false;

  /** @param shown gets what the first datagram of every flow shows */
  constructor(table: FlowTable, clock: Clock, shown?: LegShown) {
    this.#table = table;
    this.#clock = clock;
    this.#first = new ConnectionLegs(table, LEG_DATAGRAM_WINDOW_NS, shown);
  }

  /** The earlier flow of which the one in a slot is the other leg. */
  of(slot: number): OtherLeg | undefined {
    return this.#hasJoined ? this.#others[slot] : undefined;
  }

  /** A flow's first packet, whose client is known. */
  opened(slot: number, packet: PacketView): void {
    if (packet.ipProtocol !== IP_PROTOCOL.udp || packet.payloadLength < CONTENT_MINIMUM) return;
    const identification = packet.ipVersion === 4 ? u16(packet.bytes, packet.networkOffset + 4) : 0;
    const end = Math.min(packet.end, packet.cursor + LEG_CONTENT_BYTES);
    const content = legHash(packet.bytes, packet.cursor, end, packet.payloadLength);
    const key = Math.imul(packet.sourcePort, 0x9e3779b1) ^ identification;
    const other = this.#first.seen(content, key, slot, this.#clock.now);
    if (other < 0) return;
    const { ints } = this.#table;
    const base = this.#table.base(other);
    // Equal programs in two clusters send equal datagrams.
    if (ints[base + FLOW_I32.kind] !== ints[this.#table.base(slot) + FLOW_I32.kind]) return;
    const interfaceId = ints[base + FLOW_I32.interfaceId];
    if (identification === 0 && interfaceId === packet.interfaceId) return;
    this.#others[slot] = this.#first.describe(other);
    this.#hasJoined = true;
  }

  /** The flow in a slot has ended. */
  forget(slot: number): void {
    if (this.#hasJoined && this.#others[slot] !== undefined) this.#others[slot] = undefined;
  }
}
