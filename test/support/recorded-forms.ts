import { analysisOutput } from '../../src/run/analysis/index.ts';
import { analysed } from './analysis-session.ts';

/** A form of the analysis, as text or as JSON. */
export type RecordedForm = readonly [name: string, as: 'text' | 'json'];

/** What a form prints of a capture, a line each. */
export async function linesOfForm([name, as]: RecordedForm, capture: Uint8Array): Promise<readonly string[]> {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  return analysed(kind, capture, { json: as === 'json', utc: true, verbose: true, align: true, width: 160 }).lines;
}
