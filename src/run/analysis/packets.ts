import type { PacketView } from '../../analyze/packet/packet.ts';
import { describePacket } from '../../analyze/record/describe.ts';
import { Colours } from '../../view/colour.ts';
import { jsonLine } from '../../view/json-line.ts';
import { packetLine } from '../../view/packet-line.ts';
import type { AnalysisOutputContext, AnalysisOutputKind } from './output.ts';

/** Writes packets as lines, or as JSON. */
export function packetWriter({ session, line, colour, json }: AnalysisOutputContext): (packet: PacketView) => void {
  if (json) {
    return (packet) => line(jsonLine(session.recorder.packet(packet, packet.interfaceId)));
  }
  const colours = new Colours(colour);
  const { names } = session;
  const { clock } = session.capture.analysis;
  const nameOf = (address: string) => names.ofAddress(address, clock.now)?.text;
  const labels: (string | undefined)[] = [];
  return (packet) => {
    const id = packet.interfaceId;
    // `shop/web-1/any` is labelled by its pod.
    labels[id] ??= (session.interfaces[id]?.name ?? '').replace(/\/[^/]*$/, '');
    const label = labels[id] === '' ? undefined : labels[id];
    line(packetLine(describePacket(packet), { label, colours, nameOf }));
  };
}

/** Every packet, one line each. */
export const packets: AnalysisOutputKind = {
  detail: false,
  packets: true,
  create: (context) => ({ packet: packetWriter(context) }),
};
