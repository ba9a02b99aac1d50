import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { stateOf } from '../../analyze/summary/state.ts';
import { stateDocument } from '../../analyze/summary/state-write.ts';
import { Summary } from '../../analyze/summary/summary.ts';
import { writeWholeFile } from '../sink/whole-file.ts';

/** What the summary has counted, for `ksnoop merge` to add to others (docs/merging.md). */
export const summaryState: AnalysisOutputKind = {
  detail: false,
  packets: false,
  create: ({ session, line, argument }) => {
    const sums = new Summary(session.capture.analysis.hosts, session.names);
    return {
      event: (event, flow) => sums.event(event, flow),
      flowEnded: (flow) => sums.flowEnded(flow),
      end: () => {
        const text = JSON.stringify(stateDocument(stateOf(sums.totals(session.recorder, session.span))));
        if (argument === undefined) line(text);
        else writeWholeFile(argument, `${text}\n`);
      },
      notes: () => (argument === undefined ? [] : [`wrote ${argument}`]),
    };
  },
};
