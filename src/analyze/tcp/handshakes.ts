import type { Clock } from '../engine/clock.ts';
import { FLOW_I32, TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { DIRECTION } from '../layers/layer.ts';
import { LATE_SYN_BYTES } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import { agreeOnScaling } from './answer-elsewhere.ts';
import { SEEN, STATE, TCP } from './flags.ts';
import { SynOptions } from './options.ts';
import { leavesBy, type TcpLegs } from './tcp-legs.ts';

const options = new SynOptions();

/** How connections are set up: from a first SYN to the ACK that ends the handshake. */
export class Handshakes {
  readonly #table: FlowTable;
  readonly #clock: Clock;
  readonly #legs: TcpLegs;
  readonly #onJoined: (slot: number) => void;

  /** @param onJoined takes the slot of a connection that is found to be the other leg of another one; -1 for none */
  constructor(table: FlowTable, clock: Clock, legs: TcpLegs, onJoined: (slot: number) => void) {
    this.#table = table;
    this.#clock = clock;
    this.#legs = legs;
    this.#onJoined = onJoined;
  }

  /** Whether a SYN on this flow is a new connection's on the same ports. */
  isNewConnection(slot: number, direction: number, packet: PacketView): boolean {
    if ((packet.tcpFlags & (TCP.syn | TCP.ack | TCP.rst)) !== TCP.syn) return false;
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const own = ints[base + TCP_I32.flags + direction] as number;
    const other = ints[base + TCP_I32.flags + 1 - direction] as number;
    // Both sides open it at once (RFC 9293, section 3.5).
    if (ints[base + TCP_I32.state] === STATE.opening && (own & SEEN.syn) === 0 && (other & SEEN.syn) !== 0)
      return false;
    const initial = ints[base + TCP_I32.initial + direction] as number;
    if (initial === packet.tcpSequence) return false;
    // The SYN of a connection whose first packets were seen at another place, whose clock is ahead, or out of order.
    const ahead = (initial - packet.tcpSequence) | 0;
    const isMidstream = ((ints[base + TCP_I32.flags] as number) & SEEN.midstream) !== 0;
    return !isMidstream || ahead <= 0 || ahead > LATE_SYN_BYTES;
  }

  /** A segment with SYN. */
  syn(slot: number, direction: number, packet: PacketView): void {
    const { ints, doubles } = this.#table;
    const base = this.#table.base(slot);
    const own = base + direction;
    const flags = ints[own + TCP_I32.flags] as number;
    const isFromClient = direction === ints[base + FLOW_I32.client];
    if ((packet.tcpFlags & TCP.ack) === 0 && isFromClient) {
      const syns = ints[base + TCP_I32.syns] as number;
      // Of retransmitted SYNs the last one gives the round-trip time.
      doubles[(base >> 1) + TCP_F64.synTime] = this.#clock.now;
      if (syns === 0) doubles[(base >> 1) + TCP_F64.firstSyn] = this.#clock.now;
      ints[base + TCP_I32.syns] = syns + 1;
      if (syns > 0) this.#legs.notOpened(slot, leavesBy(packet, DIRECTION.outbound));
    }
    if (flags & SEEN.syn) {
      if (!isFromClient) this.#synAckAgain(base, own);
      return;
    }
    options.read(packet);
    ints[own + TCP_I32.scale] = options.scale;
    ints[own + TCP_I32.mss] = options.mss;
    ints[own + TCP_I32.flags] = flags | SEEN.syn | SEEN.next | (options.sackPermitted ? SEEN.sackPermitted : 0);
    ints[own + TCP_I32.initial] = packet.tcpSequence;
    // A SYN that comes after bytes of its direction does not begin them anew.
    if ((flags & SEEN.next) === 0) ints[own + TCP_I32.next] = (packet.tcpSequence + 1) | 0;
    const other = base + 1 - direction;
    const others = ints[other + TCP_I32.flags] as number;
    if ((packet.tcpFlags & TCP.ack) !== 0 && (others & SEEN.next) === 0) {
      // The other side's SYN was not captured: this acknowledgment shows where that side's bytes begin.
      ints[other + TCP_I32.flags] = others | SEEN.next;
      ints[other + TCP_I32.next] = packet.tcpAcknowledgment;
    }
    if ((packet.tcpFlags & TCP.ack) !== 0) this.#onJoined(this.#legs.handshake(slot, packet));
    if ((others & SEEN.syn) === 0) return;
    if ((packet.tcpFlags & TCP.ack) === 0) {
      ints[own + TCP_I32.flags] = (ints[own + TCP_I32.flags] as number) | SEEN.simultaneous;
      ints[other + TCP_I32.flags] = others | SEEN.simultaneous;
    }
    agreeOnScaling(ints, own, other);
  }

  /** A server repeats its SYN-ACK although the client's ACK and data have come: it has dropped them. */
  #synAckAgain(base: number, own: number): void {
    const { ints } = this.#table;
    const client = base + (ints[base + FLOW_I32.client] as number);
    if (ints[base + TCP_I32.state] !== STATE.open) return;
    const sent = ((ints[client + TCP_I32.high] as number) - (ints[client + TCP_I32.initial] as number) - 1) | 0;
    if (sent > 0) ints[own + TCP_I32.flags] = (ints[own + TCP_I32.flags] as number) | SEEN.synAckAgain;
  }

  /** Any segment after the SYNs: the handshake's last ACK, or a segment that shows that there will be none. */
  opening(slot: number, direction: number, packet: PacketView): void {
    const { ints, doubles } = this.#table;
    const base = this.#table.base(slot);
    if (packet.tcpFlags & TCP.rst || (packet.tcpFlags & TCP.ack) === 0) return;
    ints[base + TCP_I32.state] = STATE.open;
    const client = ints[base + FLOW_I32.client] as number;
    const complete =
      direction === client &&
      ((ints[base + TCP_I32.flags] as number) & SEEN.syn) !== 0 &&
      ((ints[base + TCP_I32.flags + 1] as number) & SEEN.syn) !== 0;
    const other = base + 1 - direction;
    if (((ints[other + TCP_I32.flags] as number) & (SEEN.syn | SEEN.next)) === 0) {
      ints[other + TCP_I32.flags] = (ints[other + TCP_I32.flags] as number) | SEEN.acknowledged;
      ints[other + TCP_I32.initial] = (packet.tcpAcknowledgment - 1) | 0;
      if (direction === client && ((ints[base + direction + TCP_I32.flags] as number) & SEEN.syn) !== 0)
        this.#onJoined(this.#legs.handshakeEnd(slot, direction, packet));
    }
    if (complete && (ints[base + TCP_I32.syns] as number) > 0) {
      const half = base >> 1;
      doubles[half + TCP_F64.handshakeRtt] = this.#clock.now - (doubles[half + TCP_F64.synTime] as number);
      doubles[half + TCP_F64.setup] = this.#clock.now - (doubles[half + TCP_F64.firstSyn] as number);
    }
  }

  /** Whether a client resets an ACK that is of another connection on the same ports (RFC 9293, section 3.10.7.3). */
  isOfOldConnection(base: number, client: number, packet: PacketView): boolean {
    const { ints } = this.#table;
    const own = base + client;
    const other = base + 1 - client;
    const others = ints[other + TCP_I32.flags] as number;
    if (((ints[own + TCP_I32.flags] as number) & SEEN.syn) === 0 || (others & SEEN.syn) !== 0) return false;
    if ((others & SEEN.ack) === 0) return false;
    const acknowledged = ints[other + TCP_I32.ack] as number;
    return packet.tcpSequence === acknowledged && ((acknowledged - (ints[own + TCP_I32.initial] as number)) | 0) !== 1;
  }
}
