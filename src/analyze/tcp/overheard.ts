import { TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { SEEN } from './flags.ts';

/**
 * Connections whose packets a pod's interface only overhears: a bridge floods a packet to all its ports while it does not know
 * where its destination is. The other packets of the connection pass elsewhere, so their absence proves nothing.
 */
export function setOverheard(table: FlowTable, slot: number, is: boolean): void {
  const { ints } = table;
  const at = table.base(slot) + TCP_I32.flags;
  const flags = ints[at] as number;
  ints[at] = is ? flags | SEEN.overheard : flags & ~SEEN.overheard;
}

export function isOverheard(table: FlowTable, slot: number): boolean {
  return ((table.ints[table.base(slot) + TCP_I32.flags] as number) & SEEN.overheard) !== 0;
}
