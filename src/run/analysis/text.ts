import { DISPOSITION } from '../../analyze/engine/analysis.ts';
import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { protocolTitle } from '../../analyze/protocols/titles.ts';
import { bodyLines } from '../../view/body-lines.ts';
import { Colours } from '../../view/colour.ts';
import { EventLines } from '../../view/event-line.ts';
import { DayLines } from '../../view/time-text.ts';
import { counted } from '../../view/units.ts';
import { ClosingLines } from './closing-lines.ts';
import { isUpkeep } from './link-upkeep.ts';
import { OrderedLines } from './ordered-lines.ts';
import { packetTexts } from './packets.ts';
import { lineSize, UndecidedPackets } from './undecided-packets.ts';

/** Fraction digits of the times: those of events. */
const TIME_DIGITS = 6;

/**
 * One line per exchange, message or event, in the order of their times; packets whose protocol is not decoded as tcpdump
 * would show them.
 */
export const text: AnalysisOutputKind = {
  detail: true,
  packets: true,
  create: (context) => {
    const { session, line, colour, align, utc = false, live = false, verbose = false } = context;
    const colours = new Colours(colour);
    const lines = new EventLines({ colours, align, utc, titleOf: protocolTitle });
    const packetText = packetTexts(context, TIME_DIGITS);
    const days = new DayLines(utc, !live, colours);
    const { clock } = session.capture.analysis;
    const closing = new ClosingLines(session);
    let hidden = 0;
    const ordered = new OrderedLines((text, time) => {
      const day = days.before(Number(clock.absolute(time) / 1_000_000n));
      if (day !== undefined) line(day);
      line(text);
    }, live);
    const undecided = new UndecidedPackets<string>((text, time) => ordered.add(text, time, clock.latest), lineSize);
    session.capture.onDatagram = undecided.datagram;
    return {
      event: (event, flow) => {
        closing.event(event, flow);
        const record = session.recorder.event(event, flow);
        const number = verbose ? ` ${colours.aside(`flow ${record.flow}`)}` : '';
        const sample =
          flow.sample === undefined ? '' : ` ${colours.aside(`[sample: 1 of ${flow.sample} connections]`)}`;
        const text = [lines.line(record) + sample + number, ...bodyLines(record)].join('\n');
        ordered.add(text, event.time, clock.latest);
      },
      packet: (view, taken) => {
        const { flow } = session.capture.analysis;
        undecided.decided(flow, taken, view.payloadLength > 0);
        if (taken === DISPOSITION.undecided) undecided.add(session.capture.waitsWith, packetText(view), clock.now);
        if (taken !== DISPOSITION.opaque) return;
        if (!verbose && isUpkeep(view)) hidden += 1;
        else ordered.add(packetText(view), clock.now, clock.latest);
      },
      flowEnded: (flow) => {
        undecided.write(flow.id);
        closing.flowEnded(flow);
      },
      end: () => {
        undecided.end();
        ordered.end();
      },
      notes: () => [
        ...(hidden === 0
          ? []
          : [`${counted(hidden, 'packet')} not shown (ARP, neighbour discovery, bare ACKs): -v shows them`]),
        ...closing.lines(),
      ],
    };
  },
};
