import { TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { SeenAnswer, SeenElsewhere } from '../flow/sightings.ts';
import type { PacketView } from '../packet/packet.ts';
import { SEEN } from './flags.ts';
import { SynOptions } from './options.ts';

/** What is kept of a SYN-ACK at a place whose packets do not count. @param packet a SYN-ACK @param now ns */
export function seenAnswer(packet: PacketView, now: number): SeenAnswer {
  const offers = new SynOptions();
  offers.read(packet);
  const { tcpSequence, tcpAcknowledgment, tcpWindow } = packet;
  return { time: now, sequence: tcpSequence, acknowledgment: tcpAcknowledgment, window: tcpWindow, offers };
}

/**
 * The packets of another place count from now on: what its SYN-ACK has shown is known then, as if it had counted. The handshake's
 * round trip is that place's, or unknown where its clock had it go on before.
 * @param base position of the flow in its table @param client direction of the packets that have counted until now
 * @param isHalf whether these count as before, and the same clock stamps both places' packets
 */
export function takeAnswer(
  { ints, doubles }: FlowTable,
  base: number,
  client: 0 | 1,
  { answer, directions }: SeenElsewhere,
  isHalf = false,
): void {
  const own = base + 1 - client;
  const other = base + client;
  const flags = ints[own + TCP_I32.flags] as number;
  if (answer === undefined || (flags & SEEN.syn) !== 0) return;
  const { time, sequence, acknowledgment, window, offers } = answer;
  const behind = (sequence + 1) | 0;
  const half = base >> 1;
  if (!isHalf) {
    const syns = directions[client];
    const isAtHandshake = syns.packets === ints[base + TCP_I32.syns];
    doubles[half + TCP_F64.firstSyn] = isAtHandshake ? syns.first : Number.NaN;
    doubles[half + TCP_F64.synTime] = isAtHandshake ? syns.last : Number.NaN;
  }
  ints[own + TCP_I32.initial] = sequence;
  if ((flags & SEEN.next) === 0) ints[own + TCP_I32.next] = behind;
  if ((flags & SEEN.high) === 0) {
    ints[own + TCP_I32.high] = behind;
    ints[own + TCP_I32.ack] = acknowledgment;
    ints[own + TCP_I32.window] = window;
    doubles[half + TCP_F64.highTime + 1 - client] = time;
    doubles[half + TCP_F64.ackTime + 1 - client] = time;
  }
  ints[own + TCP_I32.scale] = offers.scale;
  ints[own + TCP_I32.mss] = offers.mss;
  const known = SEEN.syn | SEEN.next | SEEN.high | SEEN.ack | (offers.sackPermitted ? SEEN.sackPermitted : 0);
  ints[own + TCP_I32.flags] = flags | known;
  if (((ints[other + TCP_I32.flags] as number) & SEEN.syn) !== 0) agreeOnScaling(ints, own, other);
}

/** Windows are scaled only when both sides offer it (RFC 7323, section 2.2). @param own, other positions of the directions */
export function agreeOnScaling(ints: Int32Array, own: number, other: number): void {
  if (ints[own + TCP_I32.scale] !== 0 && ints[other + TCP_I32.scale] !== 0) return;
  ints[own + TCP_I32.scale] = 1;
  ints[other + TCP_I32.scale] = 1;
}
