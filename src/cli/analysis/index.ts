import { flows } from './flows.ts';
import { json } from './json.ts';
import type { AnalysisOutputKind } from './output.ts';
import { packets } from './packets.ts';
import { summary } from './summary.ts';
import { text } from './text.ts';

/** Every form for what the analysis finds: a new one is a file here and a line below. */
export const ANALYSIS_OUTPUTS: readonly AnalysisOutputKind[] = [text, json, summary, flows, packets];

if (new Set(ANALYSIS_OUTPUTS.map(({ name }) => name)).size < ANALYSIS_OUTPUTS.length) {
  throw new Error('two outputs have one name');
}

export const ANALYSIS_OUTPUT_NAMES = ANALYSIS_OUTPUTS.map(({ name }) => name);

export function analysisOutput(name: string): AnalysisOutputKind | undefined {
  return ANALYSIS_OUTPUTS.find((kind) => kind.name === name);
}
