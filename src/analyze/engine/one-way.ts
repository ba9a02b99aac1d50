import { FLOW_F64, FLOW_I32, TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { FlowSightings, SeenElsewhere } from '../flow/sightings.ts';
import type { PacketView } from '../packet/packet.ts';
import { SEEN, TCP } from '../tcp/flags.ts';
import type { Places } from './places.ts';

/**
 * Whether a TCP segment shows that only its own direction passes the place that counts: it acknowledges what the other side has sent
 * and did not pass there before, or another place counts for that side already. A node's bridge is such a place where netfilter
 * translates a Service's address before the bridge is captured on the way to the pod, and on the way back as well.
 * @param base position of the flow in its table @param place that counts for the direction, and has brought the segment
 */
export function isOneWay(
  { ints }: FlowTable,
  base: number,
  direction: 0 | 1,
  { tcpFlags, tcpAcknowledgment }: PacketView,
  place: number,
): boolean {
  if (ints[base + FLOW_I32.vantage + 1 - direction] !== place) return true;
  if (ints[base + FLOW_I32.packets + 1 - direction] !== 0) return false;
  if ((tcpFlags & (TCP.ack | TCP.syn | TCP.rst)) !== TCP.ack) return false;
  const own = base + direction;
  const flags = ints[own + TCP_I32.flags] as number;
  if ((flags & SEEN.ack) === 0) return (flags & SEEN.syn) !== 0;
  return ((tcpAcknowledgment - (ints[own + TCP_I32.ack] as number)) | 0) > 0;
}

/**
 * The place that counts from now on in the stead of one that only one direction passes: one that both pass, and that has brought all
 * that has counted until now, so that nothing is missed and nothing comes again. One with the same clock goes first.
 * @param place that has counted @returns undefined where there is none
 */
export function wholePlace(
  table: FlowTable,
  { places: seen, slot }: FlowSightings,
  places: Places,
  place: number,
): SeenElsewhere | undefined {
  const base = table.base(slot);
  const clock = places.clockOf(place);
  let first: SeenElsewhere | undefined;
  for (const each of seen) {
    if (each.place === place || !places.isAlive(each.place)) continue;
    if (!hasBrought(table, base, 0, each) || !hasBrought(table, base, 1, each)) continue;
    if (places.clockOf(each.place) === clock) return each;
    first ??= each;
  }
  return first;
}

/**
 * The place that counts from now on for the direction that does not pass the one which counts for both: with two uplinks, requests come
 * in by one interface and answers leave by the other. Only one whose clock is the same, so that times can be compared.
 * @param direction of which the place that counts has brought nothing
 * @returns undefined where there is none
 */
export function otherHalf(
  { ints }: FlowTable,
  base: number,
  direction: 0 | 1,
  { places: seen, newSince, newPlace }: FlowSightings,
  places: Places,
): SeenElsewhere | undefined {
  const vantage = ints[base + FLOW_I32.vantage + direction] as number;
  if (ints[base + FLOW_I32.vantage + 1 - direction] !== vantage) return undefined;
  if (ints[base + FLOW_I32.packets + direction] !== 0 || Number.isNaN(newSince[direction])) return undefined;
  const place = newPlace[direction];
  if (places.clockOf(place) !== places.clockOf(vantage)) return undefined;
  return seen.find((each) => each.place === place);
}

/** Whether a place counts for a direction, or has seen as much of it as has counted. */
function hasBrought(
  { ints, doubles }: FlowTable,
  base: number,
  direction: 0 | 1,
  { place, directions }: SeenElsewhere,
): boolean {
  if (ints[base + FLOW_I32.vantage + direction] === place) return true;
  const { packets, high } = directions[direction];
  if (packets === 0 || doubles[(base >> 1) + FLOW_F64.payload + direction] === 0) return packets > 0;
  return high !== undefined && ((high - (ints[base + direction + TCP_I32.high] as number)) | 0) >= 0;
}

/**
 * What was counted at one place is what another place has seen, and the other way round.
 * @param before the place that counted until now, without anything
 * @returns how many more packets count now
 */
export function swapCounts(
  { ints, doubles }: FlowTable,
  base: number,
  counting: SeenElsewhere,
  before: SeenElsewhere,
): number {
  let more = 0;
  for (const direction of [0, 1] as const) {
    const own = base + direction;
    const half = (base >> 1) + direction;
    const vantage = ints[own + FLOW_I32.vantage];
    if (vantage === counting.place) continue;
    const old = before.directions[direction];
    const now = counting.directions[direction];
    const packets = ints[own + FLOW_I32.packets] as number;
    if (vantage === before.place && packets > 0) {
      old.packets = packets;
      old.bytes = doubles[half + FLOW_F64.bytes] as number;
      old.payload = doubles[half + FLOW_F64.payload] as number;
      old.first = doubles[(base >> 1) + FLOW_F64.first] as number;
      const latest = Math.max(doubles[half + TCP_F64.highTime] as number, doubles[half + TCP_F64.ackTime] as number);
      old.last = latest < old.first ? old.first : latest;
      if (old.payload > 0) old.high = ints[own + TCP_I32.high] as number;
    }
    ints[own + FLOW_I32.packets] = now.packets;
    doubles[half + FLOW_F64.bytes] = now.bytes;
    doubles[half + FLOW_F64.payload] = now.payload;
    more += now.packets - packets;
  }
  return more;
}
