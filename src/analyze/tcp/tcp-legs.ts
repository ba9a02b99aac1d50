import type { Clock } from '../engine/clock.ts';
import { ConnectionLegs, type LegShown, legHash } from '../flow/connection-legs.ts';
import type { OtherLeg } from '../flow/flow-facts.ts';
import { FLOW_I32, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { DIRECTION, type Direction } from '../layers/layer.ts';
import { LEG_CONTENT_BYTES, LEG_HANDSHAKE_WINDOW_NS, LEG_SEGMENT_WINDOW_NS, LEG_SEGMENTS } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import { SEEN, STATE } from './flags.ts';
import { hasNoAnswer } from './unanswered.ts';

/** A connection in a slot does not come up; the rest as AnalysisSink.notOpened. */
export type NotOpened = (slot: number, initial: number, leaves: boolean) => void;

/** Recognises TCP connections that are seen on both sides of a NAT. */
export class TcpLegs {
  readonly #table: FlowTable;
  readonly #clock: Clock;
  readonly #segmentShown: LegShown | undefined;
  readonly #onNotOpened: NotOpened | undefined;
  readonly #handshakes: ConnectionLegs;
  /** Made when the first connection begins mid-stream, or places of capture begin one after the other. */
  #segments: ConnectionLegs | undefined;
  /** By slot: data segments of a connection begun mid-stream that were looked at. */
  readonly #looked: (number | undefined)[] = [];
  readonly #others: (OtherLeg | undefined)[] = [];
  /** Made when the first connection does not come up; and by slot what holds while it has not. */
  #attempts: ConnectionLegs | undefined;
  readonly #unopened: (OtherLeg | undefined)[] = [];
  readonly #leaves: (boolean | undefined)[] = [];
  /** By slot: the SYN-ACK was not seen there. */
  readonly #halves: (true | undefined)[] = [];
  /** Any flow was joined so far: of most captures none is. */
  #hasJoined = false;

  /**
   * @param shown gets the initial sequence numbers of every handshake, and the segments that are compared
   * @param onNotOpened gets every connection that does not come up, as it is then
   */
  constructor(table: FlowTable, clock: Clock, shown?: LegShown, onNotOpened?: NotOpened) {
    this.#table = table;
    this.#clock = clock;
    this.#onNotOpened = onNotOpened;
    this.#segmentShown = shown && ((flow, interfaceId, first, second) => shown(flow, interfaceId, first, second, true));
    this.#handshakes = new ConnectionLegs(table, LEG_HANDSHAKE_WINDOW_NS, shown);
  }

  /** The earlier flow of which the one in a slot is the other leg. */
  of(slot: number): OtherLeg | undefined {
    if (!this.#hasJoined) return undefined;
    return this.#others[slot] ?? (this.#isUnopened(slot) ? this.#unopened[slot] : undefined);
  }

  /** A connection's SYN-ACK, which names both initial sequence numbers. @returns the slot of the one that is another one's leg now, or -1 */
  handshake(slot: number, { tcpAcknowledgment, tcpSequence }: PacketView): number {
    if (this.#halves[slot] === true) this.#halves[slot] = undefined;
    const other = this.#handshakes.seen((tcpAcknowledgment - 1) | 0, tcpSequence, slot, this.#clock.now);
    return other >= 0 ? this.#join(slot, other) : -1;
  }

  /**
   * The last ACK of a handshake whose SYN-ACK did not pass: it names both numbers as well. So a bridge shows a connection whose
   * answers have other addresses there.
   * @param client direction of the ACK @returns as `handshake`
   */
  handshakeEnd(slot: number, client: number, { tcpAcknowledgment }: PacketView): number {
    const initial = this.#table.ints[this.#table.base(slot) + TCP_I32.initial + client] as number;
    this.#halves[slot] = true;
    const other = this.#handshakes.seen(initial, (tcpAcknowledgment - 1) | 0, slot, this.#clock.now);
    return other >= 0 ? this.#join(slot, other) : -1;
  }

  /** Whether two flows differ by what a NAT changes: an address, or the server's port. */
  #isTranslated(slot: number, other: number): boolean {
    const [one, two] = [this.#path(slot), this.#path(other)];
    return one.client !== two.client || one.server !== two.server || one.port !== two.port;
  }

  #path(slot: number): { readonly client: number; readonly server: number; readonly port: number } {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const client = ints[base + FLOW_I32.client] as number;
    const ports = ints[base + FLOW_I32.ports] as number;
    return {
      client: ints[base + FLOW_I32.hosts + client] as number,
      server: ints[base + FLOW_I32.hosts + 1 - client] as number,
      port: client === 0 ? ports & 0xffff : ports >>> 16,
    };
  }

  /**
   * A connection does not come up: its SYN is sent again, or it is refused. There is no second sequence number, so the legs must
   * have the first one and the client's address and port in common, and be seen at two interfaces: out of one, into the other.
   * (Equal SYNs that a scan sends from one port leave one interface, or enter several.)
   * @param leaves whether the SYN leaves the place of capture, where the packet at hand is seen; undefined where that is not known
   */
  notOpened(slot: number, leaves: boolean | undefined): void {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const client = ints[base + FLOW_I32.client] as number;
    if (leaves === undefined || ((ints[base + TCP_I32.flags + client] as number) & SEEN.syn) === 0) return;
    const initial = ints[base + TCP_I32.initial + client] as number;
    this.#joinAttempt(slot, initial, leaves);
    if (this.#onNotOpened !== undefined && this.#isUnopened(slot)) this.#onNotOpened(slot, initial, leaves);
  }

  #joinAttempt(slot: number, initial: number, leaves: boolean): void {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const client = ints[base + FLOW_I32.client] as number;
    const ports = ints[base + FLOW_I32.ports] as number;
    const clientPort = client === 0 ? ports >>> 16 : ports & 0xffff;
    const clientHost = ints[base + FLOW_I32.hosts + client] as number;
    this.#attempts ??= new ConnectionLegs(this.#table, LEG_HANDSHAKE_WINDOW_NS);
    this.#leaves[slot] = leaves;
    const other = this.#attempts.seen(initial, Math.imul(clientHost, 0x9e3779b1) ^ clientPort, slot, this.#clock.now);
    if (other < 0 || this.#leaves[other] !== !leaves) return;
    if (ints[this.#table.base(other) + FLOW_I32.interfaceId] === ints[base + FLOW_I32.interfaceId]) return;
    const leg = this.#attempts.describe(other);
    const own = this.#attempts.describe(slot);
    // The flow that began first is the one that counts, wherever the SYN was seen again first.
    if (leg.id < own.id) this.#unopened[slot] = { ...leg, unopened: true };
    else this.#unopened[other] = { ...own, unopened: true };
    this.#hasJoined = true;
  }

  #isUnopened(slot: number): boolean {
    const state = this.#table.ints[this.#table.base(slot) + TCP_I32.state];
    return state === STATE.refused || hasNoAnswer(this.#table, slot);
  }

  /**
   * A data segment of a connection whose beginning was not seen at one of both places, or perhaps not. Its sequence and acknowledgment numbers and its content are
   * those of another flow's segment: both numbers are random (RFC 6528), so one such segment is as good as a handshake. Connections
   * of a proxy's pool often show no more than one request.
   * @param isCounted LEG_SEGMENTS of the flow are looked at; those of another flow are few already
   * @returns as `handshake`
   */
  segment(slot: number, packet: PacketView, isCounted: boolean): number {
    const looked = this.#looked[slot] ?? 0;
    if (looked >= LEG_SEGMENTS || this.#others[slot] !== undefined) return -1;
    if (isCounted) this.#looked[slot] = looked + 1;
    this.#segments ??= new ConnectionLegs(this.#table, LEG_SEGMENT_WINDOW_NS, this.#segmentShown);
    const end = Math.min(packet.end, packet.cursor + LEG_CONTENT_BYTES);
    const content = legHash(packet.bytes, packet.cursor, end, packet.tcpAcknowledgment ^ packet.payloadLength);
    const other = this.#segments.seen(packet.tcpSequence, content, slot, this.#clock.now);
    return other >= 0 ? this.#join(slot, other) : -1;
  }

  /**
   * Two flows are one connection. The one counts whose handshake was complete first, usually the server's; but SYNs that did not
   * get that far are the client's alone, and then that one counts. One that nothing of the server passes does not count.
   * @returns as `handshake`
   */
  #join(slot: number, other: number): number {
    // A stack whose sequence numbers are not random sends equal ones from many ports.
    if (!this.#isTranslated(slot, other)) return -1;
    this.#hasJoined = true;
    const own = this.#handshakes.describe(slot);
    const counted = this.#others[other];
    // A SYN-ACK that is seen once more joins nothing: the flow that counts is not its own other leg.
    if (counted?.id === own.id || this.#others[slot]?.id === this.#handshakes.describe(other).id) return -1;
    const isMore =
      this.#syns(slot) > this.#syns(other) || (this.#halves[other] === true && this.#halves[slot] !== true);
    if (counted === undefined && isMore) {
      this.#others[other] = own;
      return other;
    }
    this.#others[slot] = counted ?? this.#handshakes.describe(other);
    return slot;
  }

  #syns(slot: number): number {
    return this.#table.ints[this.#table.base(slot) + TCP_I32.syns] as number;
  }

  /** The flow in a slot has ended. */
  forget(slot: number): void {
    if (this.#hasJoined && this.#others[slot] !== undefined) this.#others[slot] = undefined;
    if (this.#leaves[slot] !== undefined) {
      this.#leaves[slot] = undefined;
      this.#unopened[slot] = undefined;
    }
    if (this.#halves[slot] === true) this.#halves[slot] = undefined;
    if (this.#looked[slot] !== undefined) this.#looked[slot] = undefined;
  }
}

/** Whether a packet passes its interface in this direction; undefined where the capture does not tell, or it is for another host. */
export function leavesBy({ passes }: PacketView, direction: Direction): boolean | undefined {
  return passes === DIRECTION.unknown ? undefined : passes === direction;
}
