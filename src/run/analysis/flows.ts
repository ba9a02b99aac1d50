import { protocolTitle } from '../../analyze/protocols/titles.ts';
import { Colours } from '../../view/colour.ts';
import { flowLine } from '../../view/flow-table.ts';
import { jsonLine } from '../../view/json-line.ts';
import type { AnalysisOutputKind } from './output.ts';

/** Every flow as it ends: who, how much, how TCP fared. */
export const flows: AnalysisOutputKind = {
  detail: false,
  packets: false,
  create: ({ session, line, colour, align, json }) => {
    const style = { colours: new Colours(colour), align, titleOf: protocolTitle };
    return {
      flowEnded: (flow) => {
        const record = session.recorder.flow(flow.facts());
        line(json ? jsonLine(record) : flowLine(record, style));
      },
    };
  },
};
