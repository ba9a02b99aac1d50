import { C, T } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { PacketView } from '../packet/packet.ts';
import { SEEN, TCP } from './flags.ts';
import { TROUBLE, type Troubles } from './troubles.ts';

/** A retransmission this soon after the third duplicate acknowledgement is a fast one (as Wireshark has it). */
const FAST_NS = 20e6;

/** What comes after something later within this time was overtaken, not sent again; the handshake's RTT when known. */
const OUT_OF_ORDER_NS = 3e6;

/**
 * What one vantage point tells of a connection's health by one segment: the rules of Wireshark's TCP analysis, so that
 * the numbers can be held against it. Called before the segment's octets are handed on.
 * @param direction the segment's, 0 or 1
 */
export function followHealth(
  table: FlowTable,
  place: number,
  direction: number,
  packet: PacketView,
  now: number,
  troubles: Troubles,
): void {
  const { ints, doubles } = table;
  const base = table.base(place);
  const own = base + direction;
  const other = base + 1 - direction;
  const half = base >> 1;
  const { tcpFlags, tcpSequence: sequence, tcpWindow: window } = packet;
  const length = packet.payloadLength;
  const flags = ints[own + C.flags] as number;
  const special = tcpFlags & (TCP.syn | TCP.fin | TCP.rst);
  const behind = (sequence + length) | 0;
  const end = special & (TCP.syn | TCP.fin) ? (behind + 1) | 0 : behind;
  let next = flags & ~SEEN.keepAlive;

  if (flags & SEEN.high) {
    const ahead = (sequence - (ints[own + C.high] as number)) | 0;
    if (ahead === -1 && length <= 1 && special === 0) {
      troubles.add(place, direction, TROUBLE.keepAlive);
      next |= SEEN.keepAlive;
    } else if (ahead < 0 && (length > 0 || special & (TCP.syn | TCP.fin))) {
      sentAgain(table, place, direction, behind, end, length, now, troubles);
      // Karn's rule: what is sent again tells nothing about the time it takes.
      next &= ~SEEN.rtt;
    } else if (ahead >= 0 && length > 0 && (flags & SEEN.rtt) === 0) {
      next |= SEEN.rtt;
      ints[own + C.rttEnd] = behind;
      doubles[half + T.rttTime + direction] = now;
    }
    if (
      ahead === 0 &&
      length === 0 &&
      special === 0 &&
      window !== 0 &&
      flags & SEEN.ack &&
      window === ints[own + C.window] &&
      packet.tcpAcknowledgment === ints[own + C.ack] &&
      ((ints[other + C.flags] as number) & SEEN.keepAlive) === 0
    ) {
      ints[own + C.duplicates] = (ints[own + C.duplicates] as number) + 1;
      troubles.add(place, direction, TROUBLE.duplicateAck);
    }
  }
  if (special === 0 && window === 0) troubles.add(place, direction, TROUBLE.zeroWindow);
  if (length > 0 && special === 0) {
    const scale = ints[other + C.scale] as number;
    if (scale > 0 && ((ints[other + C.flags] as number) & SEEN.ack) !== 0) {
      const shift = scale - 1;
      const window = ints[other + C.window] as number;
      // What no shift of 32 bits can do; RFC 7323 allows no more than 14.
      const scaled = shift < 16 ? window << shift : window * 2 ** shift;
      const edge = ((ints[other + C.ack] as number) + scaled) | 0;
      if (behind === edge) troubles.add(place, direction, TROUBLE.windowFull);
    }
  }
  if ((flags & SEEN.high) === 0 || ((end - (ints[own + C.high] as number)) | 0) > 0) {
    ints[own + C.high] = end;
    doubles[half + T.highTime + direction] = now;
    next |= SEEN.high;
  }
  if (tcpFlags & TCP.ack) {
    const acknowledgment = packet.tcpAcknowledgment;
    doubles[half + T.ackTime + direction] = now;
    if ((flags & SEEN.ack) === 0 || acknowledgment !== ints[own + C.ack]) {
      ints[own + C.duplicates] = 0;
      ints[own + C.ack] = acknowledgment;
      next |= SEEN.ack;
      const others = ints[other + C.flags] as number;
      if (others & SEEN.rtt && ((acknowledgment - (ints[other + C.rttEnd] as number)) | 0) >= 0) {
        ints[other + C.flags] = others & ~SEEN.rtt;
        sample(table, base, now - (doubles[half + T.rttTime + 1 - direction] as number));
      }
    }
  }
  ints[own + C.window] = window;
  ints[own + C.flags] = next;
}

/** Octets, or a SYN or FIN, that were sent before: why, as far as this side of the path tells. */
function sentAgain(
  table: FlowTable,
  place: number,
  direction: number,
  behind: number,
  end: number,
  length: number,
  now: number,
  troubles: Troubles,
): void {
  const { ints, doubles } = table;
  const base = table.base(place);
  const own = base + direction;
  const other = base + 1 - direction;
  const half = base >> 1;
  const acknowledged = ((ints[other + C.flags] as number) & SEEN.ack) !== 0;
  const ack = ints[other + C.ack] as number;
  const sequence = (behind - length) | 0;
  if (length > 0 && acknowledged && ((behind - ack) | 0) <= 0) {
    troubles.add(place, direction, TROUBLE.spurious);
    return;
  }
  // One octet less and more than one: what follows a zero window probe brings new octets.
  if (length > 1 && sequence === (((ints[own + C.high] as number) - 1) | 0)) return;
  const sinceAck = now - (doubles[half + T.ackTime + 1 - direction] as number);
  if ((ints[other + C.duplicates] as number) >= 2 && ack === sequence && sinceAck < FAST_NS) {
    troubles.add(place, direction, TROUBLE.fast);
    return;
  }
  const rtt = doubles[half + T.handshakeRtt] as number;
  const soon = now - (doubles[half + T.highTime + direction] as number) < (rtt > 0 ? rtt : OUT_OF_ORDER_NS);
  troubles.add(place, direction, soon && end !== ints[own + C.high] ? TROUBLE.outOfOrder : TROUBLE.timeout);
}

function sample(table: FlowTable, base: number, rtt: number): void {
  if (!(rtt >= 0)) return;
  const { ints, doubles } = table;
  const half = base >> 1;
  const samples = ints[base + C.rttSamples] as number;
  ints[base + C.rttSamples] = samples + 1;
  doubles[half + T.rttSum] = (doubles[half + T.rttSum] as number) + rtt;
  if (samples === 0 || rtt < (doubles[half + T.rttMinimum] as number)) doubles[half + T.rttMinimum] = rtt;
  if (rtt > (doubles[half + T.rttMaximum] as number)) doubles[half + T.rttMaximum] = rtt;
}
