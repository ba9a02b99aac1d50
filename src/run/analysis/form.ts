import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';

/** A form as it is known before its code, and with it the whole analysis, is loaded. */
export interface AnalysisForm {
  readonly name: string;
  readonly about: string;
  /** Whether there is a form for `--json`. */
  readonly json: boolean;
  load(): Promise<AnalysisOutputKind>;
}
