import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { HtmlReport } from './html-report.ts';

/** A report as one HTML page: findings, map, timelines, tables, requests, what was captured (docs/report.md). */
export const html: AnalysisOutputKind = {
  detail: false,
  labels: true,
  packets: true,
  firstLegs: true,
  // The calls of a request are needed to trace it, also where they do not match.
  ownFilter: true,
  create: (context) => {
    const report = new HtmlReport(context);
    return {
      event: (event, flow) => report.event(event, flow),
      packet: (packet, taken) => report.packet(packet, taken),
      flowEnded: (flow) => report.flowEnded(flow),
      end: () => {
        report.end();
        context.line(report.page());
      },
      notes: () => report.notes(),
    };
  },
};
