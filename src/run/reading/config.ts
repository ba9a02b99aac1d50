import type { Format } from '../convert/index.ts';
import type { Moment } from '../convert/selection.ts';
import type { SinkTarget } from '../sink/sink.ts';

/** What is read, and which of its packets are looked at: complete, validated, never changed. */
export interface ReadingConfig {
  /** `-` for stdin. */
  readonly path: string;
  /** Read on as the file grows. */
  readonly follow: boolean;
  /** pcap-filter(7). */
  readonly filter: string | undefined;
  readonly from: Moment | undefined;
  readonly to: Moment | undefined;
  /** An expression that chooses what is shown, or which flows are written. */
  readonly where: string | undefined;
  readonly showSecrets: boolean;
}

/** Another capture that is made of a reading. */
export interface ConversionConfig {
  readonly format: Format;
  readonly target: SinkTarget;
  /** Bytes kept of each packet. */
  readonly snaplen: number;
  /** Overwrite an existing file. */
  readonly force: boolean;
}
