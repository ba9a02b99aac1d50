import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { jsonLine } from '../../view/json-line.ts';
import { lineSize, undecodedPackets } from './undecided-packets.ts';

/** The text output's content as JSON, an object a line (docs/json.md). */
export const json: AnalysisOutputKind = {
  detail: true,
  packets: true,
  create: ({ session, line }) => {
    const undecoded = undecodedPackets(session, {
      make: (view) => jsonLine(session.recorder.packet(view, view.interfaceId)),
      write: line,
      sizeOf: lineSize,
    });
    return {
      event: (event, flow) => line(jsonLine(session.recorder.event(event, flow))),
      ...undecoded,
    };
  },
};
