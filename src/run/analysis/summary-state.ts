import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { stateOf } from '../../analyze/summary/state.ts';
import { STATE_START, stateDocument } from '../../analyze/summary/state-write.ts';
import { Summary } from '../../analyze/summary/summary.ts';
import { checkReplaceable, writeWholeFile } from '../sink/whole-file.ts';

/** What the summary has counted, for `ksnoop merge` to add to others (docs/merging.md). */
export const summaryState: AnalysisOutputKind = {
  detail: false,
  packets: false,
  create: ({ session, line, argument, part }) => {
    // Before hours of reading.
    if (argument !== undefined) checkReplaceable(argument, STATE_START);
    const sums = new Summary(session.capture.analysis.hosts, session.names);
    return {
      event: (event, flow) => sums.event(event, flow),
      flowEnded: (flow) => sums.flowEnded(flow),
      end: () => {
        const state = stateOf(sums.totals(session.recorder, session.span));
        const text = JSON.stringify(stateDocument(state, part === undefined ? [] : [part]));
        if (argument === undefined) line(text);
        else writeWholeFile(argument, `${text}\n`, STATE_START);
      },
      notes: () => (argument === undefined ? [] : [`wrote ${argument}`]),
    };
  },
};
