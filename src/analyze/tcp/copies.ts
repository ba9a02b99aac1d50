import type { Clock } from '../engine/clock.ts';
import { TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { COPY_NS, COPY_PACKETS, COPY_UNNUMBERED_NS } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import { SEEN, TCP } from './flags.ts';
import type { TcpStream } from './stream.ts';

/** Which packets of connections were captured twice at one place. */
export class Copies {
  readonly #table: FlowTable;
  readonly #clock: Clock;

  constructor(table: FlowTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Whether the packet was captured before at the same place (a bridge and its ports, SLL's `any`): it brings nothing new, and
   * its sender's count of packets has not moved on.
   * @param stream the connection's, if it has one
   */
  isCopy(slot: number, direction: number, packet: PacketView, stream: TcpStream | undefined): boolean {
    const { ints } = this.#table;
    const own = this.#table.base(slot) + direction;
    const { identification } = packet;
    const last = ints[own + TCP_I32.identification] as number;
    if (identification !== 0) ints[own + TCP_I32.identification] = identification + 1;
    if (((ints[own + TCP_I32.flags] as number) & SEEN.high) === 0) return false;
    const length = packet.payloadLength;
    const counted = packet.tcpFlags & (TCP.syn | TCP.fin) ? 1 : 0;
    const ahead = (packet.tcpSequence + length + counted - (ints[own + TCP_I32.high] as number)) | 0;
    if (ahead > 0) {
      if (last === identification + 1) this.#hasSameIdentification(own);
      return false;
    }
    if (length === 0 && counted === 0) {
      // An acknowledgment that moves on, or another window.
      if (((packet.tcpAcknowledgment - (ints[own + TCP_I32.ack] as number)) | 0) > 0) {
        if (last === identification + 1) this.#hasSameIdentification(own);
        return false;
      }
      if (packet.tcpWindow !== ints[own + TCP_I32.window]) return false;
    }
    return this.#isKnown(slot, direction, packet, stream) && this.#isRepeated(slot, direction, packet, last, ahead);
  }

  /** Whether a packet's bytes, and its FIN, came before: one that was overtaken brings what is missing. */
  #isKnown(
    slot: number,
    direction: number,
    { tcpFlags, tcpSequence, payloadLength }: PacketView,
    stream: TcpStream | undefined,
  ): boolean {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const flags = ints[base + direction + TCP_I32.flags] as number;
    if ((tcpFlags & TCP.fin) !== 0 && (flags & SEEN.fin) === 0) return false;
    // What comes behind a stream's end is not put in order.
    if (payloadLength === 0 || ((ints[base + TCP_I32.flags] as number) & SEEN.streamEnded) !== 0 || stream?.ended)
      return true;
    if (stream === undefined || (flags & SEEN.next) === 0) return false;
    const end = ((tcpFlags & TCP.syn ? (tcpSequence + 1) | 0 : tcpSequence) + payloadLength) | 0;
    if (((end - (ints[base + direction + TCP_I32.next] as number)) | 0) <= 0) return true;
    const held = stream.waiting?.segments[direction === 0 ? 0 : 1].at((end - 1) | 0);
    return held !== undefined && ((held.sequence - tcpSequence) | 0) <= 0;
  }

  /** A packet that brings something new has the identification of the one before it. @param own as in `isCopy` */
  #hasSameIdentification(own: number): void {
    const { ints } = this.#table;
    ints[own + TCP_I32.flags] = (ints[own + TCP_I32.flags] as number) | SEEN.sameIdentification;
  }

  /** Whether a packet that brings nothing new was captured twice. @param last its sender's count before it, + 1 */
  #isRepeated(slot: number, direction: number, packet: PacketView, last: number, ahead: number): boolean {
    const { ints, doubles } = this.#table;
    const base = this.#table.base(slot);
    const { identification } = packet;
    const half = (base >> 1) + direction;
    const age =
      this.#clock.now - Math.max(doubles[half + TCP_F64.highTime] as number, doubles[half + TCP_F64.ackTime] as number);
    const isSame = ((ints[base + direction + TCP_I32.flags] as number) & SEEN.sameIdentification) !== 0;
    if (identification === 0 || last === 0 || isSame) {
      const takesNumbers = packet.payloadLength > 0 || (packet.tcpFlags & (TCP.syn | TCP.fin)) !== 0;
      const isAlike =
        ahead === 0 &&
        (takesNumbers || (isSame ? last === identification + 1 : this.#isAcknowledgmentAgain(base, direction)));
      if (!isAlike || age < 0 || age > COPY_UNNUMBERED_NS) return false;
      if (!isSame) {
        const own = base + direction + TCP_I32.flags;
        ints[own] = (ints[own] as number) | (takesNumbers ? SEEN.copied : SEEN.acknowledgedTwice);
      }
      return true;
    }
    const isCopy = age >= 0 && age <= COPY_NS && ((last - 1 - identification) & 0xffff) <= COPY_PACKETS;
    if (isCopy) ints[base + direction + TCP_I32.identification] = last;
    return isCopy;
  }

  /**
   * Whether an ACK that says the same as the one before it is that one's copy: duplicate ACKs without an IP identification look
   * alike, so only where packets are known to come twice, and one for each.
   */
  #isAcknowledgmentAgain(base: number, direction: number): boolean {
    const { ints } = this.#table;
    const own = ints[base + direction + TCP_I32.flags] as number;
    const other = ints[base + 1 - direction + TCP_I32.flags] as number;
    return ((own | other) & SEEN.copied) !== 0 && (own & SEEN.acknowledgedTwice) === 0;
  }
}
