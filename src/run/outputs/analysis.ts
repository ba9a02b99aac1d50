import { ANALYSIS_OUTPUTS } from '../analysis/index.ts';
import type { LinesOutputKind } from './output.ts';

/** The forms that need the analysis, for a capture that runs. */
export const ANALYSED: readonly LinesOutputKind[] = ANALYSIS_OUTPUTS.map(({ name, json, load }) => ({
  name,
  binary: false,
  json,
  load: async () => {
    const [kind, { AnalysedOutput }] = await Promise.all([load(), import('./analysed-output.ts')]);
    return (context) => new AnalysedOutput(kind, context);
  },
}));
