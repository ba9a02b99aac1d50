import { closeSync, writeSync } from 'node:fs';
import { type } from 'node:os';
import { AnalysisSession, type Condition } from '../../analyze/engine/session.ts';
import { KeyLog } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import { readKeyLog } from '../../run/keys/read-key-log.ts';
import { writeReport } from '../../run/report/report-file.ts';
import { cannotWrite, fileExists } from '../../run/sink/file-errors.ts';
import { createFile } from '../../run/sink/new-file.ts';
import { byteSize, counted } from '../../view/units.ts';
import { nameBlocks } from '../../wire/capture-cluster.ts';
import { KsnoopError } from '../../wire/errors.ts';
import {
  endMarker,
  interfaceDescription,
  interfaceStatistics,
  sectionHeader,
  startMarker,
} from '../../wire/pcapng-write.ts';
import type { Kept } from './run.ts';

/** Bytes written at once. */
const BATCH_BYTES = 1024 * 1024;

/**
 * Write the packets that are kept into a new file of this directory, as a separate capture.
 * @returns a sentence that names it
 * @throws KsnoopError CANNOT_WRITE, FILE_EXISTS, NOTHING_KEPT
 */
export function writePackets(kept: Kept | undefined, now: Date): string {
  if (kept === undefined || kept.packets.count === 0) throw nothingKept();
  const path = pathOf(now, 'pcapng');
  const fd = createFile(path);
  if (fd === undefined) throw fileExists(path);
  try {
    for (const batch of batches(blocks(kept, now)))
      for (let at = 0; at < batch.length; ) at += writeSync(fd, batch, at);
  } catch (cause) {
    throw cannotWrite(path, cause);
  } finally {
    closeSync(fd);
  }
  return wrote(path, kept);
}

/** What is shown, and how, in a report of what is kept. */
export interface ReportSettings {
  /** What the screen shows; everything without. */
  readonly where: Condition | undefined;
  readonly showSecrets: boolean;
  /** The file with secrets of TLS connections that the screen uses. */
  readonly keyLog?: string | undefined;
  /** In its place the secrets that were fetched from pods. */
  readonly fetched?: KeyLog | undefined;
  /** The command as it was typed. */
  readonly command: () => string;
}

/**
 * Write a report, an HTML page, of the packets that are kept into a new file of this directory.
 * @returns a sentence that names it
 * @throws KsnoopError CANNOT_WRITE, FILE_EXISTS, NOTHING_KEPT, and as readKeyLog has it
 */
export async function writeReportOfKept(kept: Kept | undefined, now: Date, settings: ReportSettings): Promise<string> {
  if (kept === undefined || kept.packets.count === 0) throw nothingKept();
  const { html } = await import('../../run/analysis/html.ts');
  const { keyLog, fetched } = settings;
  const keys = fetched ? secretsOf(fetched) : keyLog === undefined ? undefined : await readKeyLog(keyLog);
  const lines: string[] = [];
  const session = new AnalysisSession(html, {
    ...settings,
    keys,
    line: (text) => void lines.push(text),
    colour: false,
    align: false,
    width: undefined,
    json: false,
    choice: undefined,
  });
  for (const batch of batches(blocks(kept, now))) session.push(batch);
  session.end();
  const path = pathOf(now, 'html');
  writeReport({ path, force: false }, lines.join('\n'));
  return wrote(path, kept);
}

/** The secrets of connections that were seen, apart from those that still grow: the report's analysis ends at once. */
function secretsOf(fetched: KeyLog): KeyLog {
  const keys = new KeyLog();
  for (const line of fetched.foundLines()) keys.add(line);
  return keys;
}

function nothingKept(): KsnoopError {
  return new KsnoopError('NOTHING_KEPT', 'There are no packets to write yet.');
}

function pathOf(now: Date, ending: string): string {
  return `ksnoop-top-${now.toISOString().slice(0, 19).replaceAll(':', '')}Z.${ending}`;
}

function wrote(path: string, { packets }: Kept): string {
  const gone = packets.dropped === 0 ? '' : `; ${counted(packets.dropped, 'older packet')} had gone`;
  return `wrote ${path}: ${counted(packets.count, 'packet')}, ${byteSize(packets.bytes)}${gone}`;
}

/** The same bytes in fewer pieces; each is valid until the next. */
function* batches(blocks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const batch = new Uint8Array(BATCH_BYTES);
  let filled = 0;
  for (const block of blocks) {
    if (filled + block.length > batch.length) {
      yield batch.subarray(0, filled);
      filled = 0;
    }
    if (block.length > batch.length) yield block;
    else {
      batch.set(block, filled);
      filled += block.length;
    }
  }
  yield batch.subarray(0, filled);
}

function* blocks({ session, packets, names, counts }: Kept, now: Date): Generator<Uint8Array> {
  yield sectionHeader(type());
  for (const each of session.interfaces) yield interfaceDescription(each);
  yield startMarker();
  yield* nameBlocks(names.values());
  const time = BigInt(now.getTime()) * 1_000_000n;
  const written = session.interfaces.map(() => 0);
  for (const block of packets.blocks()) {
    const id = (block[8] as number) | ((block[9] as number) << 8);
    written[id] = (written[id] ?? 0) + 1;
    yield block;
  }
  for (const [interfaceId, captured] of written.entries()) {
    const known = { received: counts.of(interfaceId).packets, droppedByKernel: 0, captured };
    yield interfaceStatistics({ interfaceId, time, startTime: time, endTime: time, ...known });
  }
  yield endMarker({ version: 1, reason: 'user', packets: written });
}
