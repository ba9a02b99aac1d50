/** Outputs of `ksnoop merge`. `json` is the summary as JSON. */
export const MERGE_OUTPUTS = ['summary', 'json', 'csv', 'map', 'summary-state'] as const;

export type MergeOutput = (typeof MERGE_OUTPUTS)[number];

export function isMergeOutput(name: string): name is MergeOutput {
  return MERGE_OUTPUTS.some((each) => each === name);
}
