import { FLOW_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { CLOSED_IDLE_NS, CLOSED_PRESSED_NS, OPENING_IDLE_NS, TCP_IDLE_NS } from '../limits.ts';
import { STATE } from './flags.ts';

/** Whether a connection has been silent for as long as its state lets it be. @param now ns */
export function mayExpire(table: FlowTable, slot: number, now: number): boolean {
  const idle = now - lastOf(table, slot);
  const state = stateOf(table, slot);
  if (state === STATE.opening) return idle > OPENING_IDLE_NS;
  return idle > (state === STATE.open || state === STATE.halfClosed ? TCP_IDLE_NS : CLOSED_IDLE_NS);
}

/** Whether a connection has ended, and may go where there are many: few of those are kept then. @param now ns */
export function mayGoEarly(table: FlowTable, slot: number, now: number): boolean {
  const state = stateOf(table, slot);
  if (state !== STATE.closed && state !== STATE.reset && state !== STATE.refused) return false;
  return now - lastOf(table, slot) > CLOSED_PRESSED_NS;
}

function stateOf(table: FlowTable, slot: number): number {
  return table.ints[table.base(slot) + TCP_I32.state] as number;
}

function lastOf(table: FlowTable, slot: number): number {
  return table.doubles[(table.base(slot) >> 1) + FLOW_F64.last] as number;
}
