import { KEY_SEPARATOR } from './keyed-rows.ts';
import type { Summary } from './summary.ts';
import { groupText, resolved } from './totals-of-summary.ts';

/** Exchanges of each service so far, by `serviceKey`. */
export function serviceTotals(summary: Summary): Map<string, number> {
  const totals = new Map<string, number>();
  for (const rows of [summary.exchanges, summary.connections]) {
    for (const { server, protocol, row } of rows.rows()) {
      const key = serviceKey(groupText(summary, resolved(summary, server)), protocol);
      totals.set(key, (totals.get(key) ?? 0) + row.count);
    }
  }
  return totals;
}

/** A row of `services`, by its key. */
export function serviceKey(service: string, protocol: string): string {
  return service + KEY_SEPARATOR + protocol;
}
