import { DISPOSITION } from '../../analyze/engine/analysis.ts';
import { protocolTitle } from '../../analyze/protocols/titles.ts';
import { Colours } from '../../view/colour.ts';
import { EventLines } from '../../view/event-line.ts';
import type { AnalysisOutputKind } from './output.ts';
import { packetWriter } from './packets.ts';

/** One line per exchange, message or event; packets whose protocol is not decoded as tcpdump would show them. */
export const text: AnalysisOutputKind = {
  detail: true,
  packets: true,
  create: (context) => {
    const { session, line, colour, align } = context;
    const lines = new EventLines({ colours: new Colours(colour), align, titleOf: protocolTitle });
    const packet = packetWriter({ ...context, json: false });
    return {
      event: (event, flow) => line(lines.line(session.recorder.event(event, flow))),
      packet: (view, taken) => {
        if (taken === DISPOSITION.opaque) packet(view);
      },
    };
  },
};
