import { countPacket } from '../flow/count-packet.ts';
import { FLOW_I32, TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { PacketView } from '../packet/packet.ts';
import { SEEN, STATE, TCP } from './flags.ts';
import { fillsWindow, newAcknowledgment } from './health.ts';
import { mayBeKeepAlive } from './keep-alive.ts';
import type { TcpStream } from './stream.ts';
import { IDLE_NS } from './waits.ts';

/** What is known of both directions of a connection that has been set up and from which nothing is missing. */
const SET_UP = SEEN.next | SEEN.high | SEEN.ack;

/** What other rules hold for (direction 0's flags have some of them for the whole connection). */
const OUT_OF_ORDINARY =
  SEEN.fin |
  SEEN.rst |
  SEEN.keepAlive |
  SEEN.simultaneous |
  SEEN.delayedAck |
  SEEN.midstream |
  SEEN.streamEnded |
  SEEN.continued |
  SEEN.acknowledgedTwice |
  SEEN.givenUp;

/**
 * Take a segment as nearly all are: of an open connection, whole, the next one of its direction, acknowledging nothing that was not
 * seen, and out of the ordinary in no way. What becomes of it is what TcpConnections.isCopy and TcpConnections.packet would make of
 * it, in a fraction of the time; a test holds the two against one another.
 * @param packet at the place that counts for its direction
 * @param clock that stamped it (Places.clockOf)
 * @returns false when it is anything else: nothing was changed then
 */
export function takePlainSegment(
  table: FlowTable,
  slot: number,
  direction: number,
  packet: PacketView,
  now: number,
  stream: TcpStream,
  clock: number,
): boolean {
  const { ints, doubles } = table;
  const base = table.base(slot);
  const own = base + direction;
  const other = base + 1 - direction;
  const {
    tcpFlags,
    tcpSequence: sequence,
    tcpAcknowledgment: acknowledgment,
    cursor,
    wireEnd,
    identification,
  } = packet;
  const flags = ints[own + TCP_I32.flags] as number;
  const others = ints[other + TCP_I32.flags] as number;
  if ((tcpFlags & ~TCP.psh) !== TCP.ack || packet.tcpWindow === 0 || ints[own + TCP_I32.window] === 0) return false;
  if ((flags & others & SET_UP) !== SET_UP || ((flags | others) & OUT_OF_ORDINARY) !== 0) return false;
  if (sequence !== ints[own + TCP_I32.next] || sequence !== ints[own + TCP_I32.high]) return false;
  // It brings something new under the number of the packet before it: SEEN.sameIdentification.
  if (identification !== 0 && ints[own + TCP_I32.identification] === identification + 1) return false;
  if (ints[base + TCP_I32.state] !== STATE.open || stream.waiting !== undefined || stream.ended) return false;
  const moved = (acknowledgment - (ints[own + TCP_I32.ack] as number)) | 0;
  const sentBefore = (acknowledgment - (ints[other + TCP_I32.next] as number)) | 0;
  if (moved < 0 || sentBefore > 0) return false;
  const ackTime = (base >> 1) + TCP_F64.ackTime + direction;
  if (now - (doubles[ackTime] as number) > IDLE_NS) return false;
  const length = wireEnd - cursor;
  const behind = (sequence + length) | 0;
  if (length > 0) {
    if (length === 1 && mayBeKeepAlive(packet)) return false;
    if (packet.end !== wireEnd || !stream.isSteady(clock, now) || fillsWindow(ints, other, behind)) return false;
  } else if (length < 0 || moved === 0) return false;

  countPacket(table, base, direction, packet, now, length);
  if (identification !== 0) ints[own + TCP_I32.identification] = identification + 1;
  doubles[ackTime] = now;
  const half = (base >> 1) + direction;
  const isCrossing =
    (((ints[other + TCP_I32.high] as number) - acknowledgment) | 0) > 0 &&
    (((ints[other + TCP_I32.ack] as number) - sequence) | 0) <= 0 &&
    ints[base + FLOW_I32.vantage] === ints[base + FLOW_I32.vantage + 1];
  if (length > 0) {
    if ((flags & SEEN.rtt) === 0) {
      ints[own + TCP_I32.flags] = flags | SEEN.rtt;
      ints[own + TCP_I32.rttEnd] = behind;
      doubles[half + TCP_F64.rttTime] = now;
    }
    ints[own + TCP_I32.high] = behind;
    doubles[half + TCP_F64.highTime] = now;
  }
  if (moved > 0) newAcknowledgment(table, base, direction, acknowledgment, length, now);
  ints[own + TCP_I32.window] = packet.tcpWindow;
  if (length === 0) return true;
  ints[own + TCP_I32.next] = behind;
  stream.steadyData(direction === 0 ? 0 : 1, packet.bytes, cursor, wireEnd, sentBefore, isCrossing);
  return true;
}
