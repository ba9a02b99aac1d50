import { DISPOSITION } from '../../analyze/engine/analysis.ts';
import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { jsonLine } from '../../view/json-line.ts';

/** The text output's content as JSON, an object a line (docs/json.md). */
export const json: AnalysisOutputKind = {
  detail: true,
  packets: true,
  create: ({ session, line }) => ({
    event: (event, flow) => line(jsonLine(session.recorder.event(event, flow))),
    packet: (view, taken) => {
      if (taken === DISPOSITION.opaque) line(jsonLine(session.recorder.packet(view, view.interfaceId)));
    },
  }),
};
