import type { KeyLog } from '../protocols/tls/decrypt/key-log.ts';

/** What an analysis decodes and shows. */
export interface AnalysisOptions {
  /** Someone looks at single events: everything is decoded. Without, only what the summary needs. */
  readonly detail: boolean;
  /** Labels of exchanges are shown, also without `detail`. */
  readonly labels?: boolean | undefined;
  /** With `detail`: fields of events may be read late (record/late-fields.ts). */
  readonly late?: boolean | undefined;
  /** Not for TCP connections that are the other leg of one seen before: of these only what the summary needs. */
  readonly firstLegs?: boolean | undefined;
  /** What TCP connections that are such a leg carry is not decoded. */
  readonly firstLegsOnly?: boolean | undefined;
  readonly showSecrets: boolean;
  /** Bodies of messages are wanted as well; only with `detail`. */
  readonly bodies?: boolean | undefined;
  /** Secrets of TLS connections. */
  readonly keys?: KeyLog | undefined;
}
