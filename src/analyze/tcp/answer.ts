import { TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { REDIRECT_NEAR_BYTES } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import { SEEN, TCP } from './flags.ts';

/**
 * Whether a segment answers what one side of a connection has sent, by its numbers: it acknowledges that side's SYN, or both its
 * numbers are near to those which that side has sent and acknowledged. Initial sequence numbers are random (RFC 6528).
 * @param sender an endpoint of the flow in a slot, of which packets were seen
 */
export function isAnswer(table: FlowTable, slot: number, sender: 0 | 1, packet: PacketView): boolean {
  const { ints } = table;
  const base = table.base(slot);
  const { tcpFlags, tcpSequence, tcpAcknowledgment } = packet;
  if ((tcpFlags & TCP.ack) === 0) return false;
  const flags = ints[base + TCP_I32.flags + sender] as number;
  const initial = ints[base + TCP_I32.initial + sender] as number;
  const isFirst = (flags & SEEN.syn) !== 0 && ((tcpAcknowledgment - 1) | 0) === initial;
  if (isFirst && (tcpFlags & (TCP.syn | TCP.rst)) !== 0) return true;
  const known = SEEN.high | SEEN.ack;
  if ((flags & known) !== known) return false;
  return (
    isNear(tcpAcknowledgment, ints[base + TCP_I32.high + sender] as number) &&
    isNear(tcpSequence, ints[base + TCP_I32.ack + sender] as number)
  );
}

function isNear(one: number, other: number): boolean {
  return Math.abs((one - other) | 0) <= REDIRECT_NEAR_BYTES;
}
