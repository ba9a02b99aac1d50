import { KsnoopError } from '../../wire/errors.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { openSink, type SinkTarget } from '../sink/sink.ts';
import { type MergedFile, mergePieces } from './merge-pieces.ts';

/** Bytes waiting for the disk or a slow reader before merging waits. */
const WAITING_BYTES = 8 * 1024 * 1024;

/** What was written. */
export interface MergedOutput {
  readonly packets: number;
  readonly bytes: number;
  /** `wrote incident.pcapng`; undefined for stdout. */
  readonly description: string | undefined;
}

/** How a merged file is written. */
export interface MergeTarget {
  readonly target: SinkTarget;
  /** Overwrite an existing file. */
  readonly force: boolean;
  /** Of addresses that may be in the files. */
  readonly names: readonly NamedAddress[];
}

/**
 * Merge files into one.
 * @throws KsnoopError as openSink and mergePieces, CANNOT_WRITE
 */
export async function mergeTo(
  files: readonly MergedFile[],
  { target, force, names }: MergeTarget,
  signal: AbortSignal,
): Promise<MergedOutput> {
  const stop = new AbortController();
  const sink = await openSink(
    { target, force, form: { name: 'pcapng', binary: true } },
    () => {
      if (sink.writer.end !== undefined) stop.abort();
    },
    signal,
  );
  const { writer } = sink;
  const output = {
    push: (bytes: Uint8Array, offset: number, length: number) => writer.push(bytes, offset, length),
    waiting: () => (writer.pending > WAITING_BYTES ? writer.drained() : undefined),
  };
  let packets = 0;
  try {
    packets = await mergePieces(files, output, AbortSignal.any([signal, stop.signal]), names);
  } catch (thrown) {
    // Whoever reads the output may go away before its end.
    const isClosed = stop.signal.aborted && writer.end?.kind === 'closed';
    await sink.close(!isClosed);
    if (writer.end?.kind !== 'failed' && !isClosed) throw thrown;
  }
  await sink.close(false);
  if (writer.end?.kind === 'failed') {
    throw new KsnoopError('CANNOT_WRITE', `The file could not be written to its end: ${writer.end.error.message}.`);
  }
  return { packets, bytes: writer.written, description: sink.description };
}
