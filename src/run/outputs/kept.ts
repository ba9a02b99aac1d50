import { failureOf, type Sink } from '../sink/sink.ts';
import type { OutputConfig, Presentation } from './config.ts';
import { type OpenOutput, openOutput } from './open.ts';
import { TeeOutput } from './tee.ts';

/** An output, and where its packets are kept besides. */
export interface KeptOutput {
  readonly output: OutputConfig;
  /** Undefined: nowhere. */
  readonly packets: OutputConfig | undefined;
}

/**
 * Open what a capture is written to, and the file that keeps its packets.
 * @param onProgress called whenever bytes were written or no more can be
 * @param signal gives up waiting for the reader of a FIFO
 * @throws KsnoopError as openOutput has it
 */
export async function openKept(
  { output, packets }: KeptOutput,
  presentation: Presentation,
  onProgress: () => void,
  signal: AbortSignal,
): Promise<OpenOutput> {
  if (packets === undefined) return openOutput(output, presentation, onProgress, signal);
  const kept = await openOutput(packets, { colour: false, width: undefined }, onProgress, signal);
  const lines = await openOutput(output, presentation, onProgress, signal).catch(async (thrown: unknown) => {
    await kept.sink?.close(true);
    throw thrown;
  });
  const { sink } = kept;
  const both = sink === undefined || lines.sink === undefined ? sink : together(sink, lines.sink);
  return { output: new TeeOutput(lines.output, kept.output), sink: both };
}

/** The file of the packets, which fails and closes with the sink of the lines. */
function together(file: Sink, lines: Sink): Sink {
  return {
    writer: file.writer,
    notice: file.notice,
    description: file.description,
    get failure() {
      return failureOf(file) ?? failureOf(lines);
    },
    get path() {
      return failureOf(file) === undefined && failureOf(lines) !== undefined ? lines.path : file.path;
    },
    close: async (discard) => {
      await Promise.all([file.close(discard), lines.close(discard)]);
    },
  };
}
