import type { PacketView } from '../packet/packet.ts';
import { FLOW_F64, FLOW_I32 } from './flow-layout.ts';
import type { FlowTable } from './flow-table.ts';

/**
 * Count a packet of a flow's direction.
 * @param base position of the flow in its table
 * @param now ns
 * @param length bytes of its payload on the wire
 */
export function countPacket(
  table: FlowTable,
  base: number,
  direction: number,
  packet: PacketView,
  now: number,
  length: number,
): void {
  const { ints, doubles } = table;
  const own = (base >> 1) + direction;
  doubles[(base >> 1) + FLOW_F64.last] = now;
  ints[base + FLOW_I32.passed] = 0;
  ints[base + FLOW_I32.packets + direction] = (ints[base + FLOW_I32.packets + direction] as number) + 1;
  doubles[own + FLOW_F64.bytes] = (doubles[own + FLOW_F64.bytes] as number) + (packet.wireEnd - packet.networkOffset);
  doubles[own + FLOW_F64.payload] = (doubles[own + FLOW_F64.payload] as number) + length;
}
