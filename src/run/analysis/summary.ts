import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { contextOf } from '../../analyze/findings/detector.ts';
import { Findings } from '../../analyze/findings/findings.ts';
import type { AlikeTaker } from '../../analyze/flow/alike.ts';
import type { FlowIdentity } from '../../analyze/flow/flow-facts.ts';
import { protocolTitle } from '../../analyze/protocols/titles.ts';
import type { Exchange } from '../../analyze/record/event.ts';
import { CountedAlike } from '../../analyze/summary/alike-exchanges.ts';
import { Summary } from '../../analyze/summary/summary.ts';
import { Colours } from '../../view/colour.ts';
import { findingHeads } from '../../view/finding-lines.ts';
import { jsonLine } from '../../view/json-line.ts';
import { summaryTables } from '../../view/summary-tables.ts';

/** What is wrong, then requests, latency and failures by service, pod and route, DNS, TLS and the health of TCP. */
export const summary: AnalysisOutputKind = {
  detail: false,
  packets: false,
  counts: true,
  create: ({ session, line, colour, width, json }) => {
    const sums = new Summary(session.capture.analysis.hosts, session.names);
    // The JSON has them in a document of its own (-o findings); of what an expression leaves none could be proven.
    const judged = json || session.where !== undefined ? undefined : new Findings(contextOf(session));
    const alike = new CountedAlike(session.names, (event, flow) => takerOf(sums, judged, event, flow));
    return {
      alike,
      event: (event, flow) => {
        // What detectors get of DNS comes in order.
        if (event.protocol === 'dns') alike.count();
        sums.event(event, flow);
        judged?.event(event, flow);
      },
      repeated: (repeated, flow) => {
        sums.repeated(repeated, flow);
        judged?.repeated(repeated, flow);
      },
      lastOfFlow: (exchange, flow) => judged?.lastOfFlow(exchange, flow),
      flowsEnded: (count, flow) => sums.flowsEnded(count, flow),
      flowEnded: (flow) => {
        if (judged === undefined || flow.transport !== 'tcp') {
          sums.flowEnded(flow);
          return;
        }
        const facts = flow.facts();
        sums.factsEnded(facts);
        judged.factsEnded(facts);
      },
      connectionsEnded: (connections, flow) => {
        sums.connectionsEnded(connections, flow);
        judged?.connectionsEnded(connections, flow);
      },
      end: () => {
        alike.count();
        const report = { ...sums.report(session.recorder, session.span), sample: session.sample };
        if (json) {
          line(jsonLine(report));
          return;
        }
        const style = { colours: new Colours(colour), width, titleOf: protocolTitle };
        const tables = summaryTables(report, style);
        // Below the headline, which may take several lines, and above the first table.
        const headline = tables.indexOf('');
        tables.splice(headline < 0 ? tables.length : headline, 0, ...findingHeads(judged?.list() ?? [], style));
        for (const text of tables) line(text);
      },
    };
  },
};

/** What takes exchanges that are as one that the summary and the detectors got; undefined where one of them needs each of these. */
function takerOf(
  sums: Summary,
  judged: Findings | undefined,
  event: Exchange,
  flow: FlowIdentity,
): AlikeTaker | undefined {
  const counting = sums.takerOf(event, flow);
  if (counting === undefined || judged === undefined) return counting;
  const judging = judged.takerOf(event, flow);
  if (judging === undefined) return undefined;
  return {
    ...judging,
    counted: (more) => {
      counting.counted(more);
      judging.counted(more);
    },
  };
}
