import type { CaptureOutput } from '../../capture/capture.ts';
import type { NameRecord } from '../../capture/names.ts';
import type { ByteWriter } from '../byte-writer.ts';

/** One form in which captured packets leave ksnoop. */
export interface Output extends CaptureOutput {
  /** Names for addresses, as they become known. */
  addNames(records: readonly NameRecord[]): void;
  /** Write what belongs at the end; resolves when the last byte is with the kernel. */
  close(reason: string): Promise<void>;
  /** What this form could not hold, for the closing summary. */
  readonly omitted: string | undefined;
}

/** What an output is made with. */
export interface OutputContext {
  readonly writer: ByteWriter;
  /** Whether lines may be coloured. */
  readonly colour: boolean;
}

export interface OutputKind {
  readonly name: string;
  /** Bytes that must not reach a terminal. */
  readonly binary: boolean;
  create(context: OutputContext): Output;
}
