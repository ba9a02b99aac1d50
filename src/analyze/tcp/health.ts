import { TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { PacketView } from '../packet/packet.ts';
import { SEEN, TCP } from './flags.ts';
import { TROUBLE, type Troubles } from './troubles.ts';
import { IDLE_NS } from './waits.ts';

/** A retransmission this soon after the third duplicate acknowledgement is a fast one (as Wireshark has it). */
const FAST_NS = 20e6;

/** An acknowledgement after more than this is no round trip: the capture's times jumped. Senders give up earlier (RFC 9293, section 3.8.3). */
const RTT_MAXIMUM_NS = 600e9;
/** What comes after something later within this time was overtaken, not sent again; the handshake's RTT when known. */
const OUT_OF_ORDER_NS = 3e6;

/**
 * A pure ACK after such a time was delayed by its sender's timer: Linux waits 40 ms (TCP_DELACK_MIN), and up to two ticks of
 * 4 ms longer, as measured.
 */
const DELAYED_ACK_LEAST_NS = 38e6;
const DELAYED_ACK_MOST_NS = 50e6;
/** What is sent so soon after an ACK waited for it, as Nagle's algorithm has it (RFC 9293, section 3.7.4). */
const NAGLE_NS = 1e6;
const SMALL_BYTES = 1000;

/**
 * Judges the health of a connection by one segment at one place of capture: the rules of Wireshark's TCP analysis, so that
 * the numbers can be held against it. Called before the segment's bytes are handed on.
 * @param direction the segment's, 0 or 1
 */
export function followHealth(
  table: FlowTable,
  slot: number,
  direction: number,
  packet: PacketView,
  now: number,
  troubles: Troubles,
): void {
  const { ints, doubles } = table;
  const base = table.base(slot);
  const own = base + direction;
  const other = base + 1 - direction;
  const half = base >> 1;
  const { tcpFlags, tcpSequence: sequence, tcpWindow: window } = packet;
  const length = packet.payloadLength;
  const flags = ints[own + TCP_I32.flags] as number;
  const special = tcpFlags & (TCP.syn | TCP.fin | TCP.rst);
  const behind = (sequence + length) | 0;
  const end = special & (TCP.syn | TCP.fin) ? (behind + 1) | 0 : behind;
  let next = flags & ~(SEEN.keepAlive | SEEN.acknowledgedTwice);

  if (flags & SEEN.high) {
    const ahead = (sequence - (ints[own + TCP_I32.high] as number)) | 0;
    if (ahead === -1 && length <= 1 && special === 0) {
      troubles.add(slot, direction, TROUBLE.keepAlive);
      next |= SEEN.keepAlive;
    } else if (ahead < 0 && (flags & SEEN.simultaneous) !== 0 && special === TCP.syn) {
      // Both sides have sent SYN, and now acknowledge it with theirs (RFC 9293, section 3.5).
      next &= ~SEEN.rtt;
    } else if (ahead < 0 && (length > 0 || special & (TCP.syn | TCP.fin))) {
      sentAgain(table, slot, direction, behind, end, length, now, troubles);
      // Karn's rule: a retransmitted segment gives no round-trip time.
      next &= ~SEEN.rtt;
    } else if (ahead >= 0 && length > 0 && (flags & SEEN.rtt) === 0) {
      if (flags & SEEN.delayedAck) {
        next &= ~SEEN.delayedAck;
        const wasWaiting = now - (doubles[half + TCP_F64.ackTime + 1 - direction] as number) <= NAGLE_NS;
        if (wasWaiting && length < SMALL_BYTES) troubles.waits.nagle(slot, direction);
      }
      next |= SEEN.rtt;
      ints[own + TCP_I32.rttEnd] = behind;
      doubles[half + TCP_F64.rttTime + direction] = now;
    }
    if (ahead === 0 && special === 0 && flags & SEEN.ack && isDuplicateAck(ints, own, other, packet)) {
      ints[own + TCP_I32.duplicates] = (ints[own + TCP_I32.duplicates] as number) + 1;
      troubles.add(slot, direction, TROUBLE.duplicateAck);
    }
  }
  if (special === 0 && window === 0) {
    troubles.add(slot, direction, TROUBLE.zeroWindow);
    troubles.waits.windowClosed(slot, direction, now);
  } else if (ints[own + TCP_I32.window] === 0 && flags & SEEN.ack && (window !== 0 || special & TCP.rst)) {
    troubles.waits.windowOpened(slot, direction, now);
  }
  if (length > 0 && special === 0 && fillsWindow(ints, other, behind))
    troubles.add(slot, direction, TROUBLE.windowFull);
  if ((flags & SEEN.high) === 0 || ((end - (ints[own + TCP_I32.high] as number)) | 0) > 0) {
    ints[own + TCP_I32.high] = end;
    doubles[half + TCP_F64.highTime + direction] = now;
    next |= SEEN.high;
  }
  if (tcpFlags & TCP.ack) next |= followAcknowledgment(table, slot, direction, packet, now, troubles);
  ints[own + TCP_I32.window] = window;
  ints[own + TCP_I32.flags] = next;
}

/** Whether a pure ACK says again what the one before it said, and answers no keep-alive. @param own, other positions of the directions */
function isDuplicateAck(ints: Int32Array, own: number, other: number, packet: PacketView): boolean {
  return (
    packet.payloadLength === 0 &&
    packet.tcpWindow !== 0 &&
    packet.tcpWindow === ints[own + TCP_I32.window] &&
    packet.tcpAcknowledgment === ints[own + TCP_I32.ack] &&
    ((ints[other + TCP_I32.flags] as number) & SEEN.keepAlive) === 0
  );
}

/** Whether bytes up to a sequence number fill the window that their receiver last offered. @param other position of the receiver's direction */
export function fillsWindow(ints: Int32Array, other: number, behind: number): boolean {
  const scale = ints[other + TCP_I32.scale] as number;
  if (scale <= 0 || ((ints[other + TCP_I32.flags] as number) & SEEN.ack) === 0) return false;
  const shift = scale - 1;
  const window = ints[other + TCP_I32.window] as number;
  // What no shift of 32 bits can do; RFC 7323 allows no more than 14.
  const scaled = shift < 16 ? window << shift : window * 2 ** shift;
  return behind === (((ints[other + TCP_I32.ack] as number) + scaled) | 0);
}

/** What a segment's acknowledgment shows: idle times, round trips, delayed ACKs. @returns SEEN.ack where it is a new one, else 0 */
function followAcknowledgment(
  table: FlowTable,
  slot: number,
  direction: number,
  packet: PacketView,
  now: number,
  troubles: Troubles,
): number {
  const { ints, doubles } = table;
  const base = table.base(slot);
  const own = base + direction;
  const half = base >> 1;
  const flags = ints[own + TCP_I32.flags] as number;
  const acknowledgment = packet.tcpAcknowledgment;
  const before = doubles[half + TCP_F64.ackTime + direction] as number;
  doubles[half + TCP_F64.ackTime + direction] = now;
  if (now - before > IDLE_NS && (flags & SEEN.ack) !== 0) {
    const others = Math.max(
      doubles[half + TCP_F64.ackTime + 1 - direction] as number,
      doubles[half + TCP_F64.highTime + 1 - direction] as number,
    );
    troubles.waits.idle(slot, direction, now, now - Math.max(before, others), (packet.tcpFlags & TCP.rst) !== 0);
  }
  if ((flags & SEEN.ack) !== 0 && acknowledgment === ints[own + TCP_I32.ack]) return 0;
  newAcknowledgment(table, base, direction, acknowledgment, packet.payloadLength, now);
  return SEEN.ack;
}

/** An acknowledgment number that the direction had not sent yet. @param length bytes that came with it */
export function newAcknowledgment(
  table: FlowTable,
  base: number,
  direction: number,
  acknowledgment: number,
  length: number,
  now: number,
): void {
  const { ints, doubles } = table;
  const own = base + direction;
  const other = base + 1 - direction;
  ints[own + TCP_I32.duplicates] = 0;
  ints[own + TCP_I32.ack] = acknowledgment;
  const others = ints[other + TCP_I32.flags] as number;
  if ((others & SEEN.rtt) === 0 || ((acknowledgment - (ints[other + TCP_I32.rttEnd] as number)) | 0) < 0) return;
  const rtt = now - (doubles[(base >> 1) + TCP_F64.rttTime + 1 - direction] as number);
  const isDelayed = length === 0 && rtt > DELAYED_ACK_LEAST_NS && rtt < DELAYED_ACK_MOST_NS;
  ints[other + TCP_I32.flags] = (others & ~SEEN.rtt) | (isDelayed ? SEEN.delayedAck : 0);
  sample(table, base, 1 - direction, rtt);
}

/** Classifies a retransmission of bytes, a SYN or a FIN, as far as the place of capture shows why. */
function sentAgain(
  table: FlowTable,
  slot: number,
  direction: number,
  behind: number,
  end: number,
  length: number,
  now: number,
  troubles: Troubles,
): void {
  const { ints, doubles } = table;
  const base = table.base(slot);
  const own = base + direction;
  const other = base + 1 - direction;
  const half = base >> 1;
  const acknowledged = ((ints[other + TCP_I32.flags] as number) & SEEN.ack) !== 0;
  const ack = ints[other + TCP_I32.ack] as number;
  const sequence = (behind - length) | 0;
  if (length > 0 && acknowledged && ((behind - ack) | 0) <= 0) {
    troubles.add(slot, direction, TROUBLE.spurious);
    return;
  }
  // One byte less and more than one: what follows a zero window probe brings new bytes.
  if (length > 1 && sequence === (((ints[own + TCP_I32.high] as number) - 1) | 0)) return;
  const sinceAck = now - (doubles[half + TCP_F64.ackTime + 1 - direction] as number);
  if ((ints[other + TCP_I32.duplicates] as number) >= 2 && ack === sequence && sinceAck < FAST_NS) {
    troubles.add(slot, direction, TROUBLE.fast);
    return;
  }
  const rtt = doubles[half + TCP_F64.handshakeRtt] as number;
  const soon = now - (doubles[half + TCP_F64.highTime + direction] as number) < (rtt > 0 ? rtt : OUT_OF_ORDER_NS);
  if (soon && end !== ints[own + TCP_I32.high]) {
    troubles.add(slot, direction, TROUBLE.outOfOrder);
    return;
  }
  troubles.add(slot, direction, TROUBLE.timeout);
  if (length === 0) return;
  const heard = doubles[half + TCP_F64.ackTime + 1 - direction] as number;
  const sent = doubles[half + TCP_F64.highTime + direction] as number;
  troubles.waits.sentAgain(slot, direction, sequence, length, now, heard, sent);
}

/** @param direction of the data that was acknowledged */
function sample({ ints, doubles }: FlowTable, base: number, direction: number, rtt: number): void {
  if (!(rtt >= 0 && rtt <= RTT_MAXIMUM_NS)) return;
  const own = (base >> 1) + direction;
  const samples = ints[base + TCP_I32.rttSamples + direction] as number;
  ints[base + TCP_I32.rttSamples + direction] = samples + 1;
  doubles[own + TCP_F64.rttSum] = (doubles[own + TCP_F64.rttSum] as number) + rtt;
  if (samples === 0 || rtt < (doubles[own + TCP_F64.rttMinimum] as number)) doubles[own + TCP_F64.rttMinimum] = rtt;
  if (rtt > (doubles[own + TCP_F64.rttMaximum] as number)) doubles[own + TCP_F64.rttMaximum] = rtt;
}
