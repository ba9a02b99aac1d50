import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { protocolTitle } from '../../analyze/protocols/titles.ts';
import { Summary } from '../../analyze/summary/summary.ts';
import { Colours } from '../../view/colour.ts';
import { jsonLine } from '../../view/json-line.ts';
import { dotLines } from '../../view/map/dot.ts';
import { isMapFormat } from '../../view/map/formats.ts';
import { callGraph } from '../../view/map/graph.ts';
import { mermaidLines } from '../../view/map/mermaid.ts';
import { callTree } from '../../view/map/tree.ts';
import { sanitise } from '../../view/sanitise.ts';

/** Who calls whom: rates, failures and latency of each pair (docs/exports.md). */
export const map: AnalysisOutputKind = {
  detail: false,
  packets: false,
  create: ({ session, line, colour, json, argument }) => {
    const sums = new Summary(session.capture.analysis.hosts, session.names);
    const format = json ? 'json' : isMapFormat(argument) ? argument : 'tree';
    const titleOf = (protocol: string) => sanitise(protocolTitle(protocol) ?? protocol.toUpperCase());
    return {
      event: (event, flow) => sums.event(event, flow),
      flowEnded: (flow) => sums.flowEnded(flow),
      end: () => {
        const { v, time, duration, callers } = sums.report(session.recorder, session.span);
        const graph = callGraph({ callers }, format === 'json' ? Number.POSITIVE_INFINITY : undefined);
        if (format === 'json') line(jsonLine({ v, kind: 'map', time, duration, nodes: graph.nodes, calls: callers }));
        else if (format === 'dot') for (const text of dotLines(graph, titleOf)) line(text);
        else if (format === 'mermaid') for (const text of mermaidLines(graph, titleOf)) line(text);
        else if (graph.edges.length === 0) line('No calls.');
        else for (const text of callTree(graph, new Colours(colour), titleOf)) line(text);
      },
    };
  },
};
