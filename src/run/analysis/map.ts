import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { protocolTitle } from '../../analyze/protocols/titles.ts';
import type { SummaryReport } from '../../analyze/summary/report.ts';
import { Colours } from '../../view/colour.ts';
import { jsonLine } from '../../view/json-line.ts';
import { dotLines } from '../../view/map/dot.ts';
import { isMapFormat, type MAP_FORMATS } from '../../view/map/formats.ts';
import { callGraph } from '../../view/map/graph.ts';
import { mermaidLines } from '../../view/map/mermaid.ts';
import { callTree } from '../../view/map/tree.ts';
import { sampleText } from '../../view/sample-text.ts';
import { sanitise } from '../../view/sanitise.ts';
import { summingOutput } from './summing.ts';

/** Who calls whom: rates, failures and latency of each pair (docs/exports.md). */
export const map: AnalysisOutputKind = {
  detail: false,
  packets: false,
  counts: true,
  create: ({ session, line, colour, json, argument }) => {
    const format = json ? 'json' : isMapFormat(argument) ? argument : 'tree';
    return summingOutput(session, (sums) => {
      const report = { ...sums.report(session.recorder, session.span), sample: session.sample };
      for (const text of mapLines(report, format, colour)) line(text);
    });
  },
};

/** The map of a summary. */
export function mapLines(
  { v, time, duration, sample, callers }: SummaryReport,
  format: (typeof MAP_FORMATS)[number],
  colour: boolean,
): readonly string[] {
  const titleOf = (protocol: string) => sanitise(protocolTitle(protocol) ?? protocol.toUpperCase());
  const graph = callGraph({ callers }, format === 'json' ? Number.POSITIVE_INFINITY : undefined);
  if (format === 'json')
    return [jsonLine({ v, kind: 'map', time, duration, sample, nodes: graph.nodes, calls: callers })];
  const remark = (mark: string) => (sample === undefined ? [] : [`${mark}${sampleText(sample, true)}`]);
  if (format === 'dot') return [...remark('// '), ...dotLines(graph, titleOf)];
  if (format === 'mermaid') return [...remark('%% '), ...mermaidLines(graph, titleOf)];
  const tree = graph.edges.length === 0 ? ['No calls.'] : callTree(graph, new Colours(colour), titleOf);
  return [...remark(''), ...tree];
}
