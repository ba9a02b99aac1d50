import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { stateOf } from '../../analyze/summary/state.ts';
import { STATE_START, stateDocument } from '../../analyze/summary/state-write.ts';
import { checkReplaceable, writeWholeFile } from '../sink/whole-file.ts';
import { summingOutput } from './summing.ts';

/** What the summary has counted, for `ksnoop merge` to add to others (docs/merging.md). */
export const summaryState: AnalysisOutputKind = {
  detail: false,
  packets: false,
  create: ({ session, line, argument, part }) => {
    // Before hours of reading.
    if (argument !== undefined) checkReplaceable(argument, STATE_START);
    return {
      ...summingOutput(session, (sums) => {
        const state = stateOf(sums.totals(session.recorder, session.span));
        const text = JSON.stringify(stateDocument(state, part === undefined ? [] : [part]));
        if (argument === undefined) line(text);
        else writeWholeFile(argument, `${text}\n`, STATE_START);
      }),
      notes: () => (argument === undefined ? [] : [`wrote ${argument}`]),
    };
  },
};
