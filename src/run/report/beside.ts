import type { AnalysisOutput, AnalysisOutputContext, AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { HtmlReport } from '../analysis/html-report.ts';

/**
 * An output of an analysis with a report beside it, from the same reading.
 * @param began called with the report when the analysis begins
 * @param ended called with it when both have ended
 */
export function beside(
  kind: AnalysisOutputKind,
  { began, ended }: { began?(report: HtmlReport): void; ended?(report: HtmlReport): void },
): AnalysisOutputKind {
  return {
    detail: kind.detail,
    labels: true,
    packets: true,
    ownFilter: true,
    create: (context) => {
      const created = kind.create(context);
      const output = kind.ownFilter === true ? created : filteredOutput(created, context);
      const report = new HtmlReport(context);
      began?.(report);
      return {
        ...(output.found === undefined ? {} : { found: () => output.found?.() ?? [] }),
        event: (event, flow) => {
          output.event?.(event, flow);
          report.event(event, flow);
        },
        flowEnded: (flow) => {
          output.flowEnded?.(flow);
          report.flowEnded(flow);
        },
        packet: (packet, taken) => {
          if (kind.packets) output.packet?.(packet, taken);
          report.packet(packet, taken);
        },
        named: (records) => output.named?.(records),
        end: () => {
          output.end?.();
          report.end();
          ended?.(report);
        },
        notes: () => output.notes?.() ?? [],
      };
    },
  };
}

/** Applies `--where` as the session does for an output without a filter of its own. */
function filteredOutput(output: AnalysisOutput, { session }: AnalysisOutputContext): AnalysisOutput {
  const { where } = session;
  if (where === undefined) return output;
  return {
    ...(output.found === undefined ? {} : { found: () => output.found?.() ?? [] }),
    event: (event, flow) => {
      if (where.matches(session.recorder.event(event, flow))) output.event?.(event, flow);
    },
    flowEnded: (flow) => {
      if (output.flowEnded !== undefined && where.matches(session.recorder.flow(flow.facts()))) output.flowEnded(flow);
    },
    packet: (packet, taken) => {
      if (output.packet === undefined) return;
      if (where.matches(session.recorder.packet(packet, packet.interfaceId))) output.packet(packet, taken);
    },
    named: (records) => output.named?.(records),
    end: () => output.end?.(),
    notes: () => output.notes?.() ?? [],
  };
}
