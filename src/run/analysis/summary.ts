import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { protocolTitle } from '../../analyze/protocols/titles.ts';
import { Summary } from '../../analyze/summary/summary.ts';
import { Colours } from '../../view/colour.ts';
import { jsonLine } from '../../view/json-line.ts';
import { summaryTables } from '../../view/summary-tables.ts';

/** Requests, latency and failures by service, pod and route, DNS, TLS and the health of TCP. */
export const summary: AnalysisOutputKind = {
  detail: false,
  packets: false,
  create: ({ session, line, colour, width, json }) => {
    const sums = new Summary(session.capture.analysis.hosts, session.names);
    return {
      event: (event, flow) => sums.event(event, flow),
      flowEnded: (flow) => sums.flowEnded(flow),
      end: () => {
        const report = sums.report(session.recorder, session.span);
        if (json) line(jsonLine(report));
        else {
          const style = { colours: new Colours(colour), width, titleOf: protocolTitle };
          for (const text of summaryTables(report, style)) line(text);
        }
      },
    };
  },
};
