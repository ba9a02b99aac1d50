import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { protocolTitle } from '../../analyze/protocols/titles.ts';
import { Colours } from '../../view/colour.ts';
import { flowLine } from '../../view/flow-table.ts';
import { jsonLine } from '../../view/json-line.ts';
import { DayLines } from '../../view/time-text.ts';

/** Every flow as it ends: peers, sizes, health of TCP. */
export const flows: AnalysisOutputKind = {
  detail: false,
  packets: false,
  create: ({ session, line, colour, json, utc = false, live = false }) => {
    const colours = new Colours(colour);
    const style = { colours, utc, titleOf: protocolTitle };
    const days = new DayLines(utc, !live, colours);
    return {
      flowEnded: (flow) => {
        const record = session.recorder.flow(flow.facts());
        if (json) {
          line(jsonLine(record));
          return;
        }
        const day = days.beforeText(record.time);
        if (day !== undefined) line(day);
        line(flowLine(record, style));
      },
    };
  },
};
