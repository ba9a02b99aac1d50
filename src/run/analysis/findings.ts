import type { AnalysisOutputKind, Found } from '../../analyze/engine/output.ts';
import { type Finding, isAtLeast, type Severity } from '../../analyze/findings/finding.ts';
import { Findings } from '../../analyze/findings/findings.ts';
import { Colours } from '../../view/colour.ts';
import { findingLines } from '../../view/finding-lines.ts';
import { jsonLine } from '../../view/json-line.ts';
import { counted, timeSpan } from '../../view/units.ts';

/** What is wrong, said outright: the worst first, each with its evidence and what to do next (docs/findings.md). */
export const findings: AnalysisOutputKind = {
  detail: true,
  packets: false,
  create: ({ session, line, colour, json, width, utc = false }) => {
    const { analysis } = session.capture;
    const epoch = () => analysis.clock.absolute(0);
    const found = new Findings({ hosts: analysis.hosts, names: session.names, epoch });
    let exchanges = 0;
    let connections = 0;
    let judged: readonly Finding[] = [];
    return {
      event: (event, flow) => {
        if (event.kind === 'exchange' && flow.sameAs === undefined) exchanges += 1;
        found.event(event, flow);
      },
      flowEnded: (flow) => {
        if (flow.transport === 'tcp' && flow.sameAs === undefined) connections += 1;
        found.flowEnded(flow);
      },
      found: () => judged,
      end: () => {
        const list = found.list();
        const { span } = session;
        const duration = span === undefined ? 0 : span.last - span.first;
        judged = list;
        if (json) {
          const timeText = (time: number) => session.recorder.timeText(time);
          const described = list.map((finding) => ({
            ...finding,
            evidence: finding.evidence.map(({ times, ...rest }) => ({ ...rest, times: times?.map(timeText) })),
          }));
          line(jsonLine({ v: 1, kind: 'findings', exchanges, connections, duration, findings: described }));
          return;
        }
        const looked = `${counted(exchanges, 'exchange')} and ${counted(connections, 'TCP connection')} in ${timeSpan(duration / 1e6)}`;
        if (list.length === 0) {
          line(`Nothing found in ${looked}.`);
          return;
        }
        const style = {
          colours: new Colours(colour),
          utc,
          width,
          timeText: (time: number) => session.recorder.timeText(time),
        };
        line(`${counted(list.length, 'finding')} in ${looked}:`);
        for (const finding of list) for (const text of ['', ...findingLines(finding, style)]) line(text);
      },
    };
  },
};

/** Whether something was found that ends a command with an exit code of its own. @param on a code, or a severity and what is worse */
export function isFailing(found: readonly Found[], on: string): boolean {
  return found.some(({ code, severity }) => code === on || (isSeverity(on) && isAtLeast(severity, on)));
}

export function isSeverity(text: string): text is Severity {
  return text === 'error' || text === 'warning' || text === 'information';
}
