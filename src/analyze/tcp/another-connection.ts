import { TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { PacketView } from '../packet/packet.ts';
import { SEEN, STATE, TCP } from './flags.ts';

/** Late packets of a connection that has ended are nearer to its last sequence numbers than that. Bytes */
const LATE_BYTES = 1 << 20;

/**
 * Whether a packet is of another connection than the one that had its ports before, although its SYN was not captured: a SYN-ACK
 * to a SYN with another sequence number; or bytes behind a connection's end, if both their numbers are far from its last ones
 * (RFC 6528: initial sequence numbers of the same ports move on).
 */
export function isOfAnother(table: FlowTable, slot: number, direction: number, packet: PacketView): boolean {
  const { ints } = table;
  const base = table.base(slot);
  const state = ints[base + TCP_I32.state] as number;
  const { tcpFlags, tcpSequence, tcpAcknowledgment, payloadLength } = packet;
  if (state === STATE.opening || (tcpFlags & (TCP.ack | TCP.rst)) !== TCP.ack) return false;
  const own = base + direction;
  const other = base + 1 - direction;
  const both = (ints[own + TCP_I32.flags] as number) & (ints[other + TCP_I32.flags] as number);
  if ((tcpFlags & TCP.syn) !== 0 && (both & SEEN.syn) !== 0) {
    const answered = ((ints[other + TCP_I32.initial] as number) + 1) | 0;
    return tcpSequence !== ints[own + TCP_I32.initial] && tcpAcknowledgment !== answered;
  }
  if (state !== STATE.closed && state !== STATE.reset) return false;
  if ((both & SEEN.high) === 0 || payloadLength === 0) return false;
  return (
    isFar(tcpSequence, ints[own + TCP_I32.high] as number) &&
    isFar(tcpAcknowledgment, ints[other + TCP_I32.high] as number)
  );
}

/** @param a @param b int32 sequence numbers */
function isFar(a: number, b: number): boolean {
  return Math.abs((a - b) | 0) > LATE_BYTES;
}
