import { statSync } from 'node:fs';
import { counted } from '../../view/units.ts';
import type { CaptureFramer } from '../../wire/capture-read.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { naming, openInput } from '../input/input.ts';
import type { PreparedReading } from './config.ts';

/** What is read: files in the order of their packets. */
export type ReadFrom = Pick<PreparedReading, 'files' | 'follow'>;

/** Receives the progress of a reading. */
export interface ReadingObserver {
  /** @param size bytes in all, undefined where that is not known */
  progress?(position: number, size: number | undefined): void;
  /** A message for the user, a sentence. */
  note?(message: string): void;
}

/** Who takes what is read. */
export interface Reader {
  readonly framer: CaptureFramer;
  /** Takes the next bytes, valid during the call. What it throws ends the reading. */
  push(bytes: Uint8Array): void;
  /** What is pushed next is of another file. @param goesOn, inOrder as CaptureFramer.nextFile has them */
  nextFile(goesOn: boolean, inOrder: boolean): void;
  /** Resolves when more may be pushed; undefined: at once. */
  waiting(): Promise<void> | undefined;
}

/** How far a reading came. */
export interface ReadResult {
  /** Where files end or are damaged before their end, a sentence each. */
  readonly stopped: readonly string[];
  readonly aborted: boolean;
}

/** Times of a file's packets may reach so far into those of the next: a capture's packets are not always in order. */
const OVERLAP_NS = 1_000_000_000n;
/** And so far where an interface without a name continues: tcpdump's rotation writes packets as they come. Two hosts' captures begin earlier. */
const UNNAMED_OVERLAP_NS = 1_000_000n;

/**
 * Read captures to their ends, or to where they stop being captures. Several files are one capture: an interface continues
 * in the next file under its name.
 * @param signal ends the reading where it is
 * @throws KsnoopError when nothing of a file could be read
 */
export async function readCapture(
  { files, follow }: ReadFrom,
  reader: Reader,
  signal: AbortSignal,
  observer: ReadingObserver = {},
): Promise<ReadResult> {
  const { framer } = reader;
  const sizes = files.map(({ path }) => sizeOf(path));
  const total = sizes.includes(undefined) ? undefined : sizes.reduce((sum: number, size) => sum + (size ?? 0), 0);
  const stopped: string[] = [];
  let before = 0;
  for (const [index, { path, first }] of files.entries()) {
    if (index > 0) {
      const overlaps = first !== undefined && first + OVERLAP_NS < framer.lastTime;
      if (overlaps)
        observer.note?.(`${path} overlaps in time with the file before it, so it is read as a separate capture.`);
      const inOrder = first === undefined || first + UNNAMED_OVERLAP_NS >= framer.lastTime;
      reader.nextFile(!overlaps, inOrder);
    }
    const progress = (position: number) => observer.progress?.(before + position, total);
    const end = await readFile({ path, follow }, reader, signal, { ...observer, progress });
    if (signal.aborted) return { stopped, aborted: true };
    if (end !== undefined) stopped.push(end);
    before += sizes[index] ?? 0;
  }
  return { stopped, aborted: false };
}

function sizeOf(path: string): number | undefined {
  const stat = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() ? stat.size : undefined;
}

/** Read one file. @returns why it stopped before its end, a sentence; undefined when it did not */
async function readFile(
  { path, follow }: { readonly path: string; readonly follow: boolean },
  reader: Reader,
  signal: AbortSignal,
  observer: ReadingObserver,
): Promise<string | undefined> {
  const { framer } = reader;
  const input = openInput(path, { follow });
  const name = path === '-' ? 'stdin' : path;
  const read = () => `${counted(framer.packets, 'packet')} before it could be read`;
  try {
    const end = await input.each(
      (bytes) => {
        reader.push(bytes);
        return reader.waiting();
      },
      signal,
      (position, size) => observer.progress?.(position, size),
    );
    if (signal.aborted) return undefined;
    if (end.kind === 'replaced')
      observer.note?.(`${name} was replaced by another file; the old one was read to its end.`);
    if (end.kind === 'truncated') return `${name}: it stops at byte ${end.at} (${end.reason}); ${read()}. [TRUNCATED]`;
  } catch (thrown) {
    const damaged =
      thrown instanceof KsnoopError && (thrown.code === 'DAMAGED_PCAP' || thrown.code === 'DAMAGED_PCAPNG');
    if (!damaged || framer.consumed === 0) throw naming(path, thrown);
    return `${name}: ${thrown.message} ${read()}. [${thrown.code}]`;
  }
  return endOf(framer, name, read);
}

/** What is missing at the end of the bytes. */
function endOf(framer: CaptureFramer, name: string, read: () => string): string | undefined {
  if (framer.format === undefined) {
    throw new KsnoopError(
      'NO_CAPTURE',
      `${name} holds ${framer.pending === 0 ? 'nothing' : 'too little to be a capture'}.`,
      {
        hint: 'ksnoop reads what tcpdump, Wireshark and ksnoop write, also compressed (gzip, zstd, xz, bzip2, lz4).',
      },
    );
  }
  if (framer.pending > 0) {
    return `${name}: the capture ends within a packet, which begins at byte ${framer.consumed}; ${read()}. [TRUNCATED]`;
  }
  if (framer.cut) {
    return `${name}: ksnoop wrote it and its end marker is missing, so it was cut; ${read()}. [TRUNCATED]`;
  }
  return undefined;
}
