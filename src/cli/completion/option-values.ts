import type { Option } from 'commander';
import type { Candidate } from './candidate.ts';

/** Options of any command whose value is a file or a directory: shells complete those themselves. */
const FILES = new Set(['write', 'report', 'kubeconfig', 'directory']);

export function takesFile(option: string): boolean {
  return FILES.has(option);
}

/**
 * The fixed values of a command's option, or undefined when they come from the cluster, or are not known. What the command itself
 * accepts (commander's choices) comes first: a list of our own would fall behind it.
 */
export async function fixedValues(command: string, option: Option): Promise<readonly Candidate[] | undefined> {
  if (option.argChoices !== undefined) return plain(option.argChoices);
  const name = option.attributeName();
  // Loaded only where they are asked for: the views and the forms bring the whole analysis with them.
  if (name === 'view') return plain((await import('../../view/top/index.ts')).TOP_VIEW_NAMES);
  if (name !== 'output') return undefined;
  if (command === 'capture') return plain((await import('../../run/outputs/index.ts')).OUTPUT_NAMES);
  if (command === 'merge') return plain((await import('../../run/merge/outputs.ts')).MERGE_OUTPUTS);
  if (command === 'record') return plain(['yaml', 'json']);
  if (command !== 'read' && command !== 'get') return plain(['text', 'json']);
  const [{ ANALYSIS_OUTPUT_NAMES }, { FORMATS }] = await Promise.all([
    import('../../run/analysis/index.ts'),
    import('../../run/convert/index.ts'),
  ]);
  return plain([...ANALYSIS_OUTPUT_NAMES, ...FORMATS.map(({ name }) => name)]);
}

function plain(values: readonly string[]): Candidate[] {
  return values.map((value) => ({ value, about: '' }));
}
