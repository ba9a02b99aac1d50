import type { AnalysisOutputContext, AnalysisOutputKind } from '../../analyze/engine/output.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import { describePacket } from '../../analyze/record/describe.ts';
import { Colours } from '../../view/colour.ts';
import { jsonLine } from '../../view/json-line.ts';
import { packetLine } from '../../view/packet-line.ts';
import { DayLines } from '../../view/time-text.ts';

/** Makes packets' lines. @param timeDigits fraction digits of their times */
export function packetTexts(
  { session, colour, utc = false }: AnalysisOutputContext,
  timeDigits = 9,
): (packet: PacketView) => string {
  const colours = new Colours(colour);
  const { names } = session;
  const { clock } = session.capture.analysis;
  /** Of the packet at hand. */
  let cluster = 0;
  const nameOf = (address: string) => names.ofAddress(address, clock.now, cluster)?.text;
  const labels: (string | undefined)[] = [];
  return (packet) => {
    const id = packet.interfaceId;
    // `shop/web-1/any` is labelled by its pod.
    labels[id] ??= (session.interfaces[id]?.name ?? '').replace(/\/[^/]*$/, '');
    const label = labels[id] === '' ? undefined : labels[id];
    const info = session.packetInfo(packet);
    cluster = names.clusterOfInterface(id);
    return packetLine(describePacket(packet), { label, colours, nameOf, utc, timeDigits, info });
  };
}

/** Every packet, one line each, in the order in which they come. */
export const packets: AnalysisOutputKind = {
  detail: false,
  packets: true,
  create: (context) => {
    const { session, line, json, colour, utc = false, live = false } = context;
    if (json) return { packet: (view) => line(jsonLine(session.recorder.packet(view, view.interfaceId))) };
    const packetText = packetTexts(context);
    const days = new DayLines(utc, !live, new Colours(colour));
    const { clock } = session.capture.analysis;
    return {
      packet: (view) => {
        const day = days.before(Number(clock.absolute(clock.now) / 1_000_000n));
        if (day !== undefined) line(day);
        line(packetText(view));
      },
    };
  },
};
