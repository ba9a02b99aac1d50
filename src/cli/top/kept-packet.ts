import type { KeptPacket } from '../../view/top/model.ts';
import { EPB_HEADER_BYTES, padded } from '../../wire/pcapng.ts';
import type { AnalysisSession } from '../analysis/session.ts';

/** A packet of the ring, read back from its block. @param offset of an Enhanced Packet Block that ksnoop wrote */
export function keptPacket(view: DataView, offset: number, session: AnalysisSession): KeptPacket {
  const length = view.getUint32(offset + 4, true);
  const caplen = view.getUint32(offset + 20, true);
  const absolute = (BigInt(view.getUint32(offset + 12, true)) << 32n) + BigInt(view.getUint32(offset + 16, true));
  const options = EPB_HEADER_BYTES + padded(caplen);
  const flags = length > options + 4 ? view.getUint32(offset + options + 4, true) & 3 : 0;
  const data = new Uint8Array(view.buffer, view.byteOffset + offset + EPB_HEADER_BYTES, caplen);
  return {
    time: session.recorder.timeText(session.capture.analysis.clock.relative(absolute)),
    interface: session.interfaces[view.getUint32(offset + 8, true)]?.name || undefined,
    direction: flags === 1 ? 'in' : flags === 2 ? 'out' : undefined,
    length: view.getUint32(offset + 24, true),
    bytes: data.slice(),
  };
}
