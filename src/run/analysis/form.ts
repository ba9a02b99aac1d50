import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';

/** A form as it is known before its code, and with it the whole analysis, is loaded. */
export interface AnalysisForm {
  readonly name: string;
  readonly about: string;
  /** Whether there is a form for `--json`. */
  readonly json: boolean;
  /** What may stand behind the name: `-o map=dot`; nothing may without. */
  readonly argument?: FormArgument;
  load(): Promise<AnalysisOutputKind>;
}

export interface FormArgument {
  /** For messages: `FORMAT`. */
  readonly name: string;
  readonly required: boolean;
  /** All that there are; undefined for any text. */
  readonly values?: readonly string[];
}
