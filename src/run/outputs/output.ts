import type { AboutConnection } from '../../analyze/connection-facts.ts';
import type { Condition } from '../../analyze/engine/session.ts';
import type { KeyLog } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import type { CaptureOutput } from '../../capture/streams/capture.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import type { FormArgument } from '../analysis/form.ts';
import type { PodKeyLog } from '../keys/pod-key-log.ts';
import type { ByteWriter } from '../sink/byte-writer.ts';

/** Secrets that a capture has to fetch from its pods, and where they go. */
export interface PodKeys {
  readonly file: PodKeyLog;
  readonly keys: readonly KeyLog[];
}

/** One form in which captured packets leave ksnoop. */
export interface Output extends CaptureOutput {
  /** Names for addresses, as they become known. */
  addNames(records: readonly NamedAddress[]): void;
  /** Write what belongs at the end; resolves when the last byte is with the kernel. */
  close(reason: string): Promise<void>;
  /** What this form could not hold, for the closing summary. */
  readonly omitted: string | undefined;
  /** Undefined: it needs none. */
  readonly podKeys?: PodKeys | undefined;
  /** Takes what a user should read while the capture runs. */
  onNote?: ((sentence: string) => void) | undefined;
  /** Write a Decryption Secrets Block ahead of the next packet; undefined: the form has no place for it. */
  addSecrets?(block: Uint8Array): void;
}

/** What an output is made with. */
export interface OutputContext {
  readonly writer: ByteWriter;
  /** Whether lines may be coloured. */
  readonly colour: boolean;
  /** Columns of the terminal it goes to; undefined without a terminal. */
  readonly width: number | undefined;
  /** `--json`, `--where` and `--show-secrets`, which binary forms have no use for. */
  readonly json: boolean;
  readonly where: Condition | undefined;
  readonly showSecrets: boolean;
  /** `--keylog`: a file with secrets of TLS connections, which grows, or one in each pod (parsePodKeyLog). */
  readonly keyLog?: string | undefined;
  /** Times are UTC; local unless set. */
  readonly utc?: boolean;
  /** Also what is left out as noise. */
  readonly verbose?: boolean;
  /** What stands behind the form's name: `-o map=dot`. */
  readonly argument?: string | undefined;
  /** The command as it was typed, for the reader of a report. */
  readonly command?: (() => string) | undefined;
  /** Files that have the packets, or will have them; undefined where none has. */
  readonly paths?: readonly string[] | undefined;
  /** What the cluster's objects show about a connection; undefined without a cluster. */
  readonly about?: AboutConnection | undefined;
}

/** Makes an output of one form. */
export type CreateOutput = (context: OutputContext) => Output;

/** Packets as they are: bytes that must not reach a terminal. */
export interface BinaryOutputKind {
  readonly name: string;
  readonly binary: true;
  readonly json: false;
  readonly argument?: undefined;
  readonly create: CreateOutput;
}

/** What the analysis makes of them, as lines. Its code is loaded when it is used: a capture into a pipe starts without it. */
export interface LinesOutputKind {
  readonly name: string;
  readonly binary: false;
  /** Whether `--json` means something to it. */
  readonly json: boolean;
  readonly argument?: FormArgument | undefined;
  load(): Promise<CreateOutput>;
}

export type OutputKind = BinaryOutputKind | LinesOutputKind;
