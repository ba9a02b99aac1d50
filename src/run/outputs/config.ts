import type { AboutConnection } from '../../analyze/connection-facts.ts';
import type { Rotation } from '../rotation/rotating-output.ts';
import type { SinkTarget } from '../sink/sink.ts';
import type { OutputKind } from './output.ts';

/** What becomes of the captured packets, and where it goes. */
export interface OutputConfig {
  readonly output: OutputKind;
  readonly sink: SinkTarget;
  /** Several files, one after the other; undefined: everything goes into one. */
  readonly rotation: Rotation | undefined;
  /** Overwrite an existing file. */
  readonly force: boolean;
  /** Of outputs that are lines: as JSON. */
  readonly json: boolean;
  /** Of outputs that are lines: an expression that chooses what is shown. */
  readonly where: string | undefined;
  readonly showSecrets: boolean;
  /** A file with secrets of TLS connections, which grows, or one in each pod (parsePodKeyLog). */
  readonly keyLog?: string | undefined;
  /** Of outputs that are lines: times are UTC, not local. */
  readonly utc: boolean;
  /** Of outputs that are lines: also what is left out as noise. */
  readonly verbose: boolean;
  /** Of outputs that are lines: what stands behind the form's name. */
  readonly argument?: string | undefined;
  /** The command as it was typed, for the reader of a report. */
  readonly command?: (() => string) | undefined;
  /** Of outputs that are lines: what the cluster's objects show about a connection. */
  readonly about?: AboutConnection | undefined;
}

/** How lines are laid out for their reader. */
export interface Presentation {
  readonly colour: boolean;
  /** Columns of the terminal; undefined without a terminal. */
  readonly width: number | undefined;
}
