import { ANALYSED } from './analysis.ts';
import type { OutputKind } from './output.ts';
import { pcap } from './pcap.ts';
import { pcapng } from './pcapng.ts';

/** Every form of output: a new one is a file here and a line below. */
export const OUTPUTS: readonly OutputKind[] = [pcapng, pcap, ...ANALYSED];

if (new Set(OUTPUTS.map(({ name }) => name)).size < OUTPUTS.length) throw new Error('two outputs have one name');

export const OUTPUT_NAMES = OUTPUTS.map(({ name }) => name);

export function outputKind(name: string): OutputKind | undefined {
  return OUTPUTS.find((kind) => kind.name === name);
}
