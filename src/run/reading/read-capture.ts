import { counted } from '../../view/units.ts';
import type { CaptureFramer } from '../../wire/capture-read.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { openInput } from '../input/input.ts';
import type { ReadingConfig } from './config.ts';

/** What is read. */
export type ReadFrom = Pick<ReadingConfig, 'path' | 'follow'>;

/** Is told how a reading goes on. */
export interface ReadingObserver {
  /** @param size bytes in all, undefined where that is not known */
  progress?(position: number, size: number | undefined): void;
  /** Something the user should know, a sentence. */
  note?(message: string): void;
}

/** Who takes what is read. */
export interface Reader {
  readonly framer: CaptureFramer;
  /** Takes the next bytes, valid during the call. What it throws ends the reading. */
  push(bytes: Uint8Array): void;
  /** Resolves when more may be pushed; undefined: at once. */
  waiting(): Promise<void> | undefined;
}

/** How far a reading came. */
export interface ReadResult {
  /** Why it stopped before the end, as a sentence; undefined when it did not. */
  readonly stopped: string | undefined;
  readonly aborted: boolean;
}

/**
 * Read a capture to its end, or to where it stops being one.
 * @param signal ends the reading where it is
 * @throws KsnoopError when nothing of it could be read
 */
export async function readCapture(
  { path, follow }: ReadFrom,
  reader: Reader,
  signal: AbortSignal,
  observer: ReadingObserver = {},
): Promise<ReadResult> {
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
    if (signal.aborted) return { stopped: undefined, aborted: true };
    if (end.kind === 'replaced')
      observer.note?.(`${name} was replaced by another file; the old one was read to its end.`);
    if (end.kind === 'truncated') {
      const stopped = `${name}: it stops at byte ${end.at} (${end.reason}); ${read()}. [TRUNCATED]`;
      return { stopped, aborted: false };
    }
  } catch (thrown) {
    const damaged =
      thrown instanceof KsnoopError && (thrown.code === 'DAMAGED_PCAP' || thrown.code === 'DAMAGED_PCAPNG');
    if (!damaged || framer.consumed === 0) throw thrown;
    return { stopped: `${name}: ${thrown.message} ${read()}. [${thrown.code}]`, aborted: false };
  }
  return { stopped: endOf(framer, name, read), aborted: false };
}

/** What is missing at the end of the bytes. */
function endOf(framer: CaptureFramer, name: string, read: () => string): string | undefined {
  if (framer.format === undefined) {
    throw new KsnoopError(
      'NO_CAPTURE',
      `${name} holds ${framer.pending === 0 ? 'nothing' : 'too little to be a capture'}.`,
      {
        hint: 'ksnoop reads what tcpdump, Wireshark and ksnoop write, also with gzip or zstd.',
      },
    );
  }
  if (framer.pending > 0) {
    return `${name}: the capture ends within a packet, which begins at byte ${framer.consumed}; ${read()}. [TRUNCATED]`;
  }
  if (framer.writer.startsWith('ksnoop ') && !framer.endMarked) {
    return `${name}: ksnoop wrote it and its end marker is missing, so it was cut; ${read()}. [TRUNCATED]`;
  }
  return undefined;
}
