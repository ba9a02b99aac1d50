import type { AnalysisOutput } from '../../analyze/engine/output.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import { CountedAlike } from '../../analyze/summary/alike-exchanges.ts';
import { Summary } from '../../analyze/summary/summary.ts';

/** What adds everything up and is read at the end. @param end gets the sums, complete */
export function summingOutput(session: AnalysisSession, end: (sums: Summary) => void): AnalysisOutput {
  const sums = new Summary(session.capture.analysis.hosts, session.names);
  const alike = new CountedAlike(session.names, (event, flow) => sums.takerOf(event, flow));
  return {
    alike,
    event: (event, flow) => sums.event(event, flow),
    repeated: (repeated, flow) => sums.repeated(repeated, flow),
    flowsEnded: (count, flow) => sums.flowsEnded(count, flow),
    flowEnded: (flow) => sums.flowEnded(flow),
    connectionsEnded: (connections, flow) => sums.connectionsEnded(connections, flow),
    end: () => {
      alike.count();
      end(sums);
    },
  };
}
