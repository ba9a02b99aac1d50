import type { AnalysisSession } from '../../analyze/engine/session.ts';
import { DIRECTION } from '../../analyze/layers/layer.ts';
import { decodePacket, PacketView } from '../../analyze/packet/packet.ts';
import type { KeptPacket } from '../../view/top/model.ts';
import { EPB_HEADER_BYTES, padded } from '../../wire/pcapng.ts';

/** A packet of the ring, read back from its block. @param offset of an Enhanced Packet Block that ksnoop wrote */
export function keptPacket(view: DataView, offset: number, session: AnalysisSession): KeptPacket {
  const length = view.getUint32(offset + 4, true);
  const caplen = view.getUint32(offset + 20, true);
  const origlen = view.getUint32(offset + 24, true);
  const timeHigh = view.getUint32(offset + 12, true);
  const timeLow = view.getUint32(offset + 16, true);
  const absolute = (BigInt(timeHigh) << 32n) + BigInt(timeLow);
  const options = EPB_HEADER_BYTES + padded(caplen);
  const flags = length > options + 4 ? view.getUint32(offset + options + 4, true) & 3 : 0;
  const id = view.getUint32(offset + 8, true);
  const direction = flags === 1 ? DIRECTION.inbound : flags === 2 ? DIRECTION.outbound : DIRECTION.unknown;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + offset + EPB_HEADER_BYTES, caplen).slice();
  return {
    time: session.recorder.timeText(session.capture.analysis.clock.relative(absolute)),
    interface: session.interfaces[id]?.name || undefined,
    direction: flags === 1 ? 'in' : flags === 2 ? 'out' : undefined,
    length: origlen,
    bytes,
    record: () => {
      const packet = new PacketView();
      packet.set(bytes, 0, caplen, origlen, timeHigh, timeLow, id, session.interfaces[id]?.linkType ?? 0, direction);
      decodePacket(packet);
      return session.recorder.packet(packet, id);
    },
  };
}
