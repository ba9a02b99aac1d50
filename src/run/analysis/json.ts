import { DISPOSITION } from '../../analyze/engine/analysis.ts';
import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { jsonLine } from '../../view/json-line.ts';
import { lineSize, UndecidedPackets } from './undecided-packets.ts';

/** The text output's content as JSON, an object a line (docs/json.md). */
export const json: AnalysisOutputKind = {
  detail: true,
  packets: true,
  create: ({ session, line }) => {
    const undecided = new UndecidedPackets<string>(line, lineSize);
    session.capture.onDatagram = undecided.datagram;
    return {
      event: (event, flow) => line(jsonLine(session.recorder.event(event, flow))),
      packet: (view, taken) => {
        const { flow } = session.capture.analysis;
        const record = () => jsonLine(session.recorder.packet(view, view.interfaceId));
        undecided.decided(flow, taken, view.payloadLength > 0);
        if (taken === DISPOSITION.undecided) undecided.add(session.capture.waitsWith, record(), 0);
        else if (taken === DISPOSITION.opaque) line(record());
      },
      flowEnded: ({ id }) => undecided.write(id),
      end: () => undecided.end(),
    };
  },
};
