import { FLOW_I32, TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { Notice } from '../record/event.ts';
import { STATE } from './flags.ts';
import { isOverheard } from './overheard.ts';

/** Whether a connection's opening was seen and no packet of its server was. @param slot of its table */
export function hasNoAnswer(table: FlowTable, slot: number): boolean {
  const { ints } = table;
  const base = table.base(slot);
  const server = 1 - (ints[base + FLOW_I32.client] as number);
  return ints[base + TCP_I32.state] === STATE.opening && ints[base + FLOW_I32.packets + server] === 0;
}

/**
 * The event of a connection that ended without an answer to its SYN, if the client tried again or waited for long.
 * @param isOver it ends because the capture does
 * @returns undefined where there was an answer, or it may have come yet
 */
export function unansweredNotice(table: FlowTable, slot: number, isOver: boolean): Notice | undefined {
  const { ints, doubles } = table;
  const base = table.base(slot);
  const syns = ints[base + TCP_I32.syns] as number;
  if (table.evicting || !hasNoAnswer(table, slot) || isOverheard(table, slot)) return undefined;
  if (syns === 0 || (syns === 1 && isOver)) return undefined;
  const last = doubles[(base >> 1) + TCP_F64.synTime] as number;
  const first = doubles[(base >> 1) + TCP_F64.firstSyn] as number;
  const times = syns === 1 ? 'SYN sent once' : `SYN sent ${syns} times in ${secondsText(last - first)}`;
  return {
    kind: 'event',
    protocol: 'tcp',
    code: 'TCP_NO_ANSWER',
    label: `no answer, ${times}`,
    time: last,
    from: undefined,
    failed: true,
    fields: {},
  };
}

/** `31 s`, `1.2 s`, `200 ms`. @param duration ns */
function secondsText(duration: number): string {
  if (duration < 999.5e6) return `${Math.round(duration / 1e6)} ms`;
  return `${duration < 9.95e9 ? (duration / 1e9).toFixed(1) : Math.round(duration / 1e9)} s`;
}
