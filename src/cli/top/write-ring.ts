import { closeSync, openSync, writeSync } from 'node:fs';
import { type } from 'node:os';
import { byteSize, counted } from '../../view/units.ts';
import { KsnoopError } from '../../wire/errors.ts';
import {
  endMarker,
  interfaceDescription,
  interfaceStatistics,
  nameResolution,
  sectionHeader,
} from '../../wire/pcapng-write.ts';
import { cannotWrite } from '../sink.ts';
import type { Kept } from './model.ts';

/**
 * Write the packets that are kept into a new file of this folder, as a capture of its own.
 * @returns a sentence that names it
 * @throws KsnoopError CANNOT_WRITE, NOTHING_KEPT
 */
export function writeRing(kept: Kept | undefined, now: Date): string {
  if (kept === undefined || kept.packets.count === 0) {
    throw new KsnoopError('NOTHING_KEPT', 'There are no packets to write yet.');
  }
  const { packets } = kept;
  const path = `ksnoop-top-${now.toISOString().slice(0, 19).replaceAll(':', '')}Z.pcapng`;
  let fd: number;
  try {
    // Captured packets are nobody else's business.
    fd = openSync(path, 'wx', 0o600);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
  try {
    for (const bytes of blocks(kept, now)) for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } catch (cause) {
    throw cannotWrite(path, cause);
  } finally {
    closeSync(fd);
  }
  const gone = packets.dropped === 0 ? '' : `; ${counted(packets.dropped, 'older packet')} had gone`;
  return `wrote ${path}: ${counted(packets.count, 'packet')}, ${byteSize(packets.bytes)}${gone}`;
}

function* blocks({ session, packets, names, counts }: Kept, now: Date): Generator<Uint8Array> {
  yield sectionHeader(type());
  for (const each of session.interfaces) yield interfaceDescription(each);
  if (names.size > 0) yield nameResolution([...names].map(([address, called]) => ({ address, names: called })));
  for (const piece of packets.pieces) yield piece.bytes.subarray(0, piece.used);
  const time = BigInt(now.getTime()) * 1_000_000n;
  const written = session.interfaces.map(() => 0);
  for (const piece of packets.pieces) {
    for (let index = 0; index < piece.count; index += 1) {
      const id = piece.view.getUint32((piece.offsets[index] as number) + 8, true);
      written[id] = (written[id] ?? 0) + 1;
    }
  }
  for (const [interfaceId, captured] of written.entries()) {
    const known = { received: counts.of(interfaceId).packets, droppedByKernel: 0, captured };
    yield interfaceStatistics({ interfaceId, time, startTime: time, endTime: time, ...known });
  }
  yield endMarker({ version: 1, reason: 'user', packets: written });
}
