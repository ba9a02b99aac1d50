import type { AnalysisForm } from '../analysis/form.ts';
import { ANALYSIS_OUTPUTS } from '../analysis/index.ts';
import type { LinesOutputKind, OutputKind } from './output.ts';
import { pcap } from './pcap.ts';
import { pcapng } from './pcapng.ts';

/** The forms that need the analysis, for a capture that runs. */
const ANALYSED: readonly LinesOutputKind[] = ANALYSIS_OUTPUTS.map(analysedKind);

/** A form of the analysis, for a capture that runs. */
export function analysedKind({ name, json, argument, load }: AnalysisForm): LinesOutputKind {
  return {
    name,
    binary: false,
    json,
    argument,
    load: async () => {
      const [kind, { AnalysedOutput }] = await Promise.all([load(), import('./analysed-output.ts')]);
      return (context) => new AnalysedOutput(kind, context);
    },
  };
}

/** Every form of output: a new one is a file here and a line below. */
export const OUTPUTS: readonly OutputKind[] = [pcapng, pcap, ...ANALYSED];

if (new Set(OUTPUTS.map(({ name }) => name)).size < OUTPUTS.length) throw new Error('two outputs have one name');

export const OUTPUT_NAMES = OUTPUTS.map(({ name }) => name);

export function outputKind(name: string): OutputKind | undefined {
  return OUTPUTS.find((kind) => kind.name === name);
}
