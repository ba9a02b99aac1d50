import type { Clock } from '../engine/clock.ts';
import { ConnectionLegs, legHash } from '../flow/connection-legs.ts';
import type { OtherLeg } from '../flow/flow-facts.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { LEG_CONTENT_BYTES, LEG_HANDSHAKE_WINDOW_NS, LEG_SEGMENT_WINDOW_NS, LEG_SEGMENTS } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';

/** Recognises TCP connections that are seen on both sides of a NAT. */
export class TcpLegs {
  readonly #table: FlowTable;
  readonly #clock: Clock;
  readonly #handshakes: ConnectionLegs;
  /** Made when the first connection begins mid-stream. */
  #segments: ConnectionLegs | undefined;
  /** By slot: data segments of a connection begun mid-stream that were looked at. */
  readonly #looked: (number | undefined)[] = [];
  readonly #others: (OtherLeg | undefined)[] = [];
  /** Any flow was joined so far: of most captures none is. */
  #hasJoined = false;

  constructor(table: FlowTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
    this.#handshakes = new ConnectionLegs(table, LEG_HANDSHAKE_WINDOW_NS);
  }

  /** The earlier flow of which the one in a slot is the other leg. */
  of(slot: number): OtherLeg | undefined {
    return this.#hasJoined ? this.#others[slot] : undefined;
  }

  /** A connection's SYN-ACK, which names both initial sequence numbers. */
  handshake(slot: number, { tcpAcknowledgment, tcpSequence }: PacketView): void {
    const other = this.#handshakes.seen((tcpAcknowledgment - 1) | 0, tcpSequence, slot, this.#clock.now);
    if (other >= 0) this.#join(slot, this.#handshakes.describe(other));
  }

  /**
   * A data segment of a connection whose beginning was not seen. Its sequence and acknowledgment numbers and its content are
   * those of another flow's segment: both numbers are random (RFC 6528), so one such segment is as good as a handshake. Connections
   * of a proxy's pool often show no more than one request.
   */
  segment(slot: number, packet: PacketView): void {
    const looked = this.#looked[slot] ?? 0;
    if (looked >= LEG_SEGMENTS || this.#others[slot] !== undefined) return;
    this.#looked[slot] = looked + 1;
    this.#segments ??= new ConnectionLegs(this.#table, LEG_SEGMENT_WINDOW_NS);
    const end = Math.min(packet.end, packet.cursor + LEG_CONTENT_BYTES);
    const content = legHash(packet.bytes, packet.cursor, end, packet.tcpAcknowledgment ^ packet.payloadLength);
    const other = this.#segments.seen(packet.tcpSequence, content, slot, this.#clock.now);
    if (other >= 0) this.#join(slot, this.#segments.describe(other));
  }

  #join(slot: number, other: OtherLeg): void {
    this.#others[slot] = other;
    this.#hasJoined = true;
  }

  /** The flow in a slot has ended. */
  forget(slot: number): void {
    if (this.#hasJoined && this.#others[slot] !== undefined) this.#others[slot] = undefined;
    if (this.#looked[slot] !== undefined) this.#looked[slot] = undefined;
  }
}
