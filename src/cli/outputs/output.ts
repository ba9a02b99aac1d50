import type { CaptureOutput } from '../../capture/capture.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import type { Condition } from '../analysis/session.ts';
import type { ByteWriter } from '../byte-writer.ts';

/** One form in which captured packets leave ksnoop. */
export interface Output extends CaptureOutput {
  /** Names for addresses, as they become known. */
  addNames(records: readonly NamedAddress[]): void;
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
  /** Columns of the terminal it goes to; undefined where there is none. */
  readonly width: number | undefined;
  /** `--json`, `--where` and `--show-secrets`, which binary forms have no use for. */
  readonly json: boolean;
  readonly where: Condition | undefined;
  readonly showSecrets: boolean;
}

export interface OutputKind {
  readonly name: string;
  /** Bytes that must not reach a terminal. */
  readonly binary: boolean;
  /** Whether `--json` means something to it. */
  readonly json: boolean;
  create(context: OutputContext): Output;
}
