import { counted } from '../../view/units.ts';
import { CaptureFramer } from '../../wire/capture-read.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import type { EarlyMoment, Moment } from '../convert/selection.ts';
import { naming, openInput } from '../input/input.ts';
import { type InputPath, inputPaths } from '../input/paths.ts';
import { inShard } from '../input/shard.ts';
import type { CaptureFile, PreparedReading, ReadingConfig } from './config.ts';
import type { ReadingObserver } from './read-capture.ts';

/**
 * Find the files of a reading, put them in the order of their first packets, and resolve times that relate to the last
 * packet.
 * @throws KsnoopError NO_FILE, USAGE (exit 2), and as openInput has it
 */
export async function prepareReading(
  config: ReadingConfig,
  signal: AbortSignal,
  observer: ReadingObserver = {},
): Promise<PreparedReading> {
  const { paths, shard, from, to, ...rest } = config;
  const inputs = inputPaths(paths);
  const own = shard === undefined ? inputs : inShard(inputs, shard);
  // One of many processes may have nothing to do.
  const files = own.length === 0 ? [] : await filesInOrder(own, signal, observer);
  const wantsEnd = from?.kind === 'before end' || to?.kind === 'before end';
  const lastFile = files.at(-1);
  const last = wantsEnd && lastFile !== undefined ? await lastTime(lastFile.path, signal) : undefined;
  return { ...rest, files, from: early(from, last), to: early(to, last) };
}

/** A moment before the last packet is an absolute one once that is known; without any packet it excludes nothing. */
function early(moment: Moment | undefined, last: bigint | undefined): EarlyMoment | undefined {
  if (moment?.kind !== 'before end') return moment;
  return last === undefined ? undefined : { kind: 'absolute', nanoseconds: last - moment.nanoseconds };
}

/** One file needs no order, and stdin cannot be read twice. */
async function filesInOrder(
  inputs: readonly InputPath[],
  signal: AbortSignal,
  observer: ReadingObserver,
): Promise<CaptureFile[]> {
  const [only] = inputs;
  if (inputs.length === 1 && only !== undefined) return [{ path: only.path, first: undefined }];
  const files: CaptureFile[] = [];
  const skipped: string[] = [];
  for (const { path, named } of inputs) {
    if (path === '-')
      throw stdinTwice('Several captures are read in the order of their packets, so stdin cannot be one.');
    try {
      files.push({ path, first: await firstTime(path, signal) });
    } catch (thrown) {
      const other = thrown instanceof KsnoopError && (thrown.code === 'NO_CAPTURE' || thrown.code === 'CANNOT_READ');
      if (named || !other) throw thrown;
      skipped.push(path);
    }
  }
  if (skipped.length > 0) observer.note?.(skippedText(skipped));
  if (files.length === 0) {
    const hint = 'ksnoop reads what tcpdump, Wireshark and ksnoop write.';
    throw new KsnoopError('NO_FILE', 'None of these files is a capture.', { hint, exit: EXIT.usage });
  }
  // Files without packets stay behind those that were named before them.
  let latest = 0n;
  const keyed = files.map((file) => {
    if (file.first !== undefined) latest = file.first;
    return { file, key: file.first ?? latest };
  });
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ file }) => file);
}

/** @param paths at least one */
function skippedText(paths: readonly string[]): string {
  const [first = ''] = paths;
  if (paths.length === 1) return `Skipped ${first}: not a pcap or pcapng file.`;
  return `Skipped ${counted(paths.length, 'file')} that are not pcap or pcapng files: ${first}, …`;
}

/** Time of a capture's first packet. @throws KsnoopError where it is no capture or cannot be read */
async function firstTime(path: string, signal: AbortSignal): Promise<bigint | undefined> {
  const found = new AbortController();
  let first: bigint | undefined;
  await eachPacket(path, AbortSignal.any([signal, found.signal]), (time) => {
    first ??= time;
    found.abort();
  });
  return first;
}

/** Time of a capture's latest packet. @throws KsnoopError USAGE (exit 2) where it can be read once only */
async function lastTime(path: string, signal: AbortSignal): Promise<bigint | undefined> {
  if (path === '-') throw stdinTwice('A time before the last packet is known only at the end, and stdin is read once.');
  let last: bigint | undefined;
  await eachPacket(path, signal, (time) => {
    if (last === undefined || time > last) last = time;
  });
  return last;
}

/** Give the time of every packet, ns since 1970, up to where the capture is damaged. */
async function eachPacket(path: string, signal: AbortSignal, onTime: (time: bigint) => void): Promise<void> {
  const framer = new CaptureFramer({
    interface: () => {},
    packet: (_bytes, _offset, _caplen, _origlen, high, low) => onTime((BigInt(high) << 32n) | BigInt(low)),
  });
  const input = openInput(path, { follow: false });
  try {
    await input.each(
      (bytes) => {
        framer.push(bytes);
        return undefined;
      },
      signal,
      () => {},
    );
  } catch (thrown) {
    const damaged =
      thrown instanceof KsnoopError && (thrown.code === 'DAMAGED_PCAP' || thrown.code === 'DAMAGED_PCAPNG');
    // Damage is reported when the file is read.
    if (!damaged || framer.consumed === 0) throw naming(path, thrown);
  }
}

function stdinTwice(message: string): KsnoopError {
  return new KsnoopError('USAGE', message, { hint: 'Write it to a file first.', exit: EXIT.usage });
}
