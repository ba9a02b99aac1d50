import { openInput } from '../../run/input/input.ts';
import { byteSize, counted } from '../../view/units.ts';
import type { CaptureFramer } from '../../wire/capture-read.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import type { Logger } from '../logger.ts';
import type { ReadConfig } from './options.ts';

/** What is read. */
export type ReadFrom = Pick<ReadConfig, 'path' | 'follow'>;

/** How far reading came. */
export interface ReadResult {
  readonly framer: CaptureFramer;
  /** Why it stopped before the end, as a sentence; undefined when it did not. */
  readonly stopped: string | undefined;
  readonly aborted: boolean;
}

/**
 * Read a capture to its end, or to where it stops being one.
 * @param push takes octets; what it throws ends reading
 * @param waiting resolves when more may be pushed; undefined: at once
 * @throws KsnoopError when nothing of it could be read
 */
export async function readCapture(
  config: ReadFrom,
  framer: CaptureFramer,
  push: (bytes: Uint8Array) => void,
  waiting: () => Promise<void> | undefined,
  signal: AbortSignal,
  log: Logger,
): Promise<ReadResult> {
  const input = openInput(config.path, { follow: config.follow });
  const name = config.path === '-' ? 'stdin' : config.path;
  const read = () => `${counted(framer.packets, 'packet')} before it could be read`;
  try {
    const end = await input.each(
      (bytes) => {
        push(bytes);
        return waiting();
      },
      signal,
      (position, size) => progress(config, log, position, size),
    );
    if (signal.aborted) return { framer, stopped: undefined, aborted: true };
    if (end.kind === 'replaced') log.warn(`${name} is another file by now: what was read is the one before.`);
    if (end.kind === 'truncated') {
      const stopped = `${name}: it stops at byte ${end.at} (${end.reason}); ${read()}. [TRUNCATED]`;
      return { framer, stopped, aborted: false };
    }
  } catch (thrown) {
    const damaged =
      thrown instanceof KsnoopError && (thrown.code === 'DAMAGED_PCAP' || thrown.code === 'DAMAGED_PCAPNG');
    if (!damaged || framer.consumed === 0) throw thrown;
    return { framer, stopped: `${name}: ${thrown.message} ${read()}. [${thrown.code}]`, aborted: false };
  }
  return { framer, stopped: endOf(framer, name, read), aborted: false };
}

/** What is missing at the end of the octets. */
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

/** The exit code of what was read. */
export function readExit({ stopped }: ReadResult): ExitCode {
  return stopped === undefined ? EXIT.done : EXIT.truncated;
}

function progress(config: ReadFrom, log: Logger, position: number, size: number | undefined): void {
  if (process.stderr.isTTY !== true || config.follow) return;
  const share = size === undefined ? '' : ` of ${byteSize(size)} (${Math.floor((100 * position) / size)} %)`;
  log.info(`read ${byteSize(position)}${share}`);
}
