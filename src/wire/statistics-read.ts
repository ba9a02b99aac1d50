import { OPTION } from './pcapng.ts';
import { type BlockView, forEachOption } from './pcapng-read.ts';

/** The contents of an Interface Statistics Block (draft-ietf-opsawg-pcapng, section 4.6), as ksnoop writes it. */
export interface InterfaceStatistics {
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** Of an interface's last statistics only. */
  readonly endTime: bigint | undefined;
  readonly received: number;
  readonly droppedByKernel: number;
  readonly captured: number;
}

const OPTIONS = 20;

/** Read a little-endian Interface Statistics Block. */
export function interfaceStatisticsOf(bytes: Uint8Array, offset: number, length: number): InterfaceStatistics {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const time = (at: number) => (BigInt(view.getUint32(at, true)) << 32n) | BigInt(view.getUint32(at + 4, true));
  const block: BlockView = { bytes, view, offset, length, type: 0, littleEndian: true };
  let endTime: bigint | undefined;
  const counts = new Map<number, number>();
  forEachOption(block, offset + OPTIONS, (code, at, size) => {
    if (size !== 8) return;
    if (code === OPTION.isbEndTime) endTime = time(at);
    else counts.set(code, Number(view.getBigUint64(at, true)));
  });
  return {
    time: time(offset + 12),
    endTime,
    received: counts.get(OPTION.isbFilterAccept) ?? 0,
    droppedByKernel: counts.get(OPTION.isbOsDrop) ?? 0,
    captured: counts.get(OPTION.isbUsrDeliv) ?? 0,
  };
}
