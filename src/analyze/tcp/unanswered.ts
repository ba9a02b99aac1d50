import { FLOW_I32, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { STATE } from './flags.ts';

/** Whether a connection's opening was seen and no packet of its server was. @param slot of its table */
export function hasNoAnswer(table: FlowTable, slot: number): boolean {
  const { ints } = table;
  const base = table.base(slot);
  const server = 1 - (ints[base + FLOW_I32.client] as number);
  return ints[base + TCP_I32.state] === STATE.opening && ints[base + FLOW_I32.packets + server] === 0;
}
