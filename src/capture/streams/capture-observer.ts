import type { KsnoopError } from '../../wire/errors.ts';
import type { Gap } from './report.ts';

/** How a target came to be captured. */
export interface Start {
  /** It joined a capture that already ran. */
  readonly joined: boolean;
  /** Of one that was waited for: how long its sandbox had been there, milliseconds. */
  readonly sandboxMs: number | undefined;
}

/** Receives what happens during a capture. */
export interface CaptureObserver {
  started(target: string, label: string, start: Start): void;
  /** It has no network namespace yet. */
  waiting(target: string, label: string, message: string): void;
  failed(target: string, label: string, error: KsnoopError): void;
  gone(target: string, label: string): void;
  lost(gap: Gap): void;
  resumed(gap: Gap): void;
  /** A message for the user about the targets. */
  note(message: string): void;
  log(node: string, message: string): void;
}
