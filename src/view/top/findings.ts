import type { Finding } from '../../analyze/findings/finding.ts';
import { grouped } from '../units.ts';
import type { TopColumn } from './columns.ts';
import { DetailView } from './detail-view.ts';
import { findingDetail } from './finding-detail.ts';
import { LOOK, type Span, span } from './line.ts';
import { type TableOrder, TableView } from './table-view.ts';
import type { ViewKind } from './view.ts';

/** What is wrong, as `-o findings` has it. */
export const findings: ViewKind = {
  name: 'findings',
  about: 'what is wrong: errors, warnings and information, the worst first',
  keys: [['Enter', 'one finding: evidence, next step, its flows, exchanges and packets; Esc back']],
  create: (model) =>
    new DetailView(
      (open) =>
        new TableView<Finding>({
          columns: COLUMNS,
          orders: ORDERS,
          rows: () => model.findings.all,
          keyOf: ({ code, subject }) => `${code} ${subject}`,
          noun: 'findings',
          empty: 'Nothing found yet.',
          enter: (finding) => open(findingDetail(model, finding)),
        }),
    ),
};

const COLUMNS: readonly TopColumn<Finding>[] = [
  { title: 'SEVERITY', width: 8, rank: 0, cell: severityCell },
  { title: 'CASES', width: 6, right: true, rank: 3, cell: ({ cases }) => span(grouped(cases)) },
  { title: 'CODE', width: 24, rank: 2, cell: ({ code }) => span(code, LOOK.aside) },
  { title: 'FINDING', width: 24, grows: true, rank: 0, cell: ({ message }) => span(message) },
];

function severityCell({ severity }: Finding): Span {
  if (severity === 'error') return span('ERROR', LOOK.failure);
  return severity === 'warning' ? span('WARNING', LOOK.warning) : span('INFO');
}

const byCases = (a: Finding, b: Finding) => b.cases - a.cases;

/** The worst first. */
const RANK = { error: 0, warning: 1, information: 2 } as const;

const ORDERS: readonly TableOrder<Finding>[] = [
  { name: 'severity', compare: (a, b) => RANK[a.severity] - RANK[b.severity] || byCases(a, b) },
  { name: 'cases', compare: byCases },
  { name: 'code', compare: (a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : byCases(a, b)) },
];
