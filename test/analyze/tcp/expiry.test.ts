import { expect, test } from 'vitest';
import { FLOW_F64, TCP_I32, TCP_STRIDE } from '../../../src/analyze/flow/flow-layout.ts';
import { FlowTable } from '../../../src/analyze/flow/flow-table.ts';
import { CLOSED_IDLE_NS, CLOSED_PRESSED_NS, OPENING_IDLE_NS, TCP_IDLE_NS } from '../../../src/analyze/limits.ts';
import { mayExpire, mayGoEarly } from '../../../src/analyze/tcp/expiry.ts';
import { STATE } from '../../../src/analyze/tcp/flags.ts';

const NEVER = Number.POSITIVE_INFINITY;

test.each([
  ['opening', OPENING_IDLE_NS, NEVER],
  ['open', TCP_IDLE_NS, NEVER],
  ['halfClosed', TCP_IDLE_NS, NEVER],
  ['closed', CLOSED_IDLE_NS, CLOSED_PRESSED_NS],
  ['reset', CLOSED_IDLE_NS, CLOSED_PRESSED_NS],
  ['refused', CLOSED_IDLE_NS, CLOSED_PRESSED_NS],
] as const)('a connection that is %s may go after its silence, and no nanosecond sooner', (state, idle, pressed) => {
  const table = new FlowTable(TCP_STRIDE, 8, () => undefined);
  table.add(1, 2, 3, 4, 0);
  const slot = table.add(5, 6, 7, 8, 1);
  const last = 77e9;
  table.ints[table.base(slot) + TCP_I32.state] = STATE[state];
  table.doubles[(table.base(slot) >> 1) + FLOW_F64.last] = last;
  expect([mayExpire(table, slot, last + idle), mayExpire(table, slot, last + idle + 1024)]).toEqual([false, true]);
  const early = [
    mayGoEarly(table, slot, last + Math.min(pressed, 1e18)),
    mayGoEarly(table, slot, last + pressed + 1024),
  ];
  expect(early).toEqual([false, pressed < NEVER]);
});
