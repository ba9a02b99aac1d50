import type { Format } from '../convert/index.ts';
import type { EarlyMoment, Moment } from '../convert/selection.ts';
import type { Shard } from '../input/shard.ts';
import type { SinkTarget } from '../sink/sink.ts';

/** What is read, and which of its packets are looked at: complete, validated, never changed. */
export interface ReadingConfig {
  /** Files, directories and patterns as the user named them, read as one capture; `-` for stdin. */
  readonly paths: readonly string[];
  /** Of these files only the ones of this shard; undefined: all. */
  readonly shard?: Shard | undefined;
  /** Read on as the file grows. */
  readonly follow: boolean;
  /** pcap-filter(7). */
  readonly filter: string | undefined;
  readonly from: Moment | undefined;
  readonly to: Moment | undefined;
  /** An expression that chooses what is shown, or which flows are written. */
  readonly where: string | undefined;
  readonly showSecrets: boolean;
  /** Bodies of messages are decoded too. */
  readonly bodies?: boolean | undefined;
  /** A file with secrets of TLS connections. */
  readonly keyLog?: string | undefined;
}

/** A file of a reading. */
export interface CaptureFile {
  /** `-` for stdin. */
  readonly path: string;
  /** Time of its first packet, ns since 1970; undefined where it has none, or is the only file. */
  readonly first: bigint | undefined;
}

/** A reading whose files are known and in order. */
export interface PreparedReading extends Omit<ReadingConfig, 'paths' | 'shard' | 'from' | 'to'> {
  readonly files: readonly CaptureFile[];
  readonly from: EarlyMoment | undefined;
  readonly to: EarlyMoment | undefined;
}

/** Another capture that is made of a reading. */
export interface ConversionConfig {
  readonly format: Format;
  readonly target: SinkTarget;
  /** Bytes kept of each packet. */
  readonly snaplen: number;
  /** Overwrite an existing file. */
  readonly force: boolean;
  /** Leave out the secrets of TLS connections that the capture holds. */
  readonly withoutKeys?: boolean | undefined;
}
