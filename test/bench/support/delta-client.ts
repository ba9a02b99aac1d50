// What a client does with deltas of agents: lines of JSON on stdin are validated and added up, and a report is made after each period.
import { createInterface } from 'node:readline';
import { DeltaOrder } from '../../../src/analyze/summary/delta.ts';
import { makeReport } from '../../../src/analyze/summary/make-report.ts';
import { addState } from '../../../src/analyze/summary/state.ts';
import { readState } from '../../../src/analyze/summary/state-read.ts';
import { SummaryTotals } from '../../../src/analyze/summary/totals.ts';
import { boundHeapGrowth } from '../../../src/cli/heap.ts';

boundHeapGrowth();
const [agents = 1] = process.argv.slice(2).map(Number);
const totals = new SummaryTotals();
const order = new DeltaOrder();
let received = 0;
let report = makeReport(totals);
for await (const line of createInterface({ input: process.stdin })) {
  const { source, sequence, state } = JSON.parse(line) as { source: string; sequence: number; state: unknown };
  if (order.take(source, sequence) === 'add') addState(totals, readState(state, { where: 'delta', delta: true }));
  received += 1;
  if (received % agents === 0) report = makeReport(totals);
}
const { user, system } = process.cpuUsage();
const exchanges = report.services.reduce((sum, { count }) => sum + count, 0);
const rows = report.services.length + report.routes.length + report.pods.length + report.callers.length;
process.stdout.write(
  JSON.stringify({ cpu: (user + system) / 1e6, memory: process.resourceUsage().maxRSS * 1024, exchanges, rows }),
);
