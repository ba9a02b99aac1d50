import type { AnalysisOutputKind, Found as FoundCode } from '../../analyze/engine/output.ts';
import { type Finding, isAtLeast, type Severity } from '../../analyze/findings/finding.ts';
import { CountedAlike } from '../../analyze/summary/alike-exchanges.ts';
import { Colours } from '../../view/colour.ts';
import { findingsJson, findingsText } from './findings-report.ts';
import { Found } from './found.ts';

/** What is wrong, said outright: the worst first, each with its evidence and what to do next (docs/findings.md). */
export const findings: AnalysisOutputKind = {
  detail: false,
  packets: false,
  counts: true,
  create: ({ session, line, colour, json, width, utc = false, paths, keyLog }) => {
    const found = new Found(session);
    const alike = new CountedAlike(session.names, (event, flow) => found.takerOf(event, flow));
    const timeText = (time: number) => session.recorder.timeText(time);
    let judged: readonly Finding[] = [];
    return {
      alike,
      event: (event, flow) => {
        // What detectors get of DNS comes in order.
        if (event.protocol === 'dns') alike.count();
        found.event(event, flow);
      },
      repeated: (repeated, flow) => found.repeated(repeated, flow),
      lastOfFlow: (exchange, flow) => found.lastOfFlow(exchange, flow),
      flowEnded: (flow) => found.flowEnded(flow),
      connectionsEnded: (connections, flow) => found.connectionsEnded(connections, flow),
      found: () => judged,
      notes: () => found.notes(),
      end: () => {
        alike.count();
        judged = found.list();
        if (json) line(findingsJson(judged, found.looked, timeText));
        else {
          const style = { colours: new Colours(colour), utc, width, timeText, paths, keyLog };
          for (const text of findingsText(judged, found.looked, style)) line(text);
        }
      },
    };
  },
};

/** Whether something was found that ends a command with an exit code of its own. @param on a code, or a severity and what is worse */
export function isFailing(found: readonly FoundCode[], on: string): boolean {
  return found.some(({ code, severity }) => code === on || (isSeverity(on) && isAtLeast(severity, on)));
}

export function isSeverity(text: string): text is Severity {
  return text === 'error' || text === 'warning' || text === 'information';
}
