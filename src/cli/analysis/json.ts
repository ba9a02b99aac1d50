import { TAKEN } from '../../analyze/analysis.ts';
import type { AnalysisOutputKind } from './output.ts';

/** The text output's content as JSON, an object a line (docs/json.md). */
export const json: AnalysisOutputKind = {
  name: 'json',
  about: 'the same as JSON, an object a line',
  detail: true,
  json: true,
  create: ({ session, line }) => ({
    event: (event, flow) => line(JSON.stringify(session.recorder.event(event, flow))),
    packet: (view, taken) => {
      if (taken === TAKEN.opaque) line(JSON.stringify(session.recorder.packet(view, view.interfaceId)));
    },
  }),
};
