import { TRANSPORTS } from '../../capture/transport-wish.ts';
import type { Candidate } from './candidate.ts';

/** Options of any command whose value is a file or a folder: shells know those themselves. */
const FILES = new Set(['write', 'kubeconfig', 'folder']);

export function takesFile(option: string): boolean {
  return FILES.has(option);
}

/** The fixed values of a command's option, or undefined when the cluster knows them, or nobody. */
export async function fixedValues(command: string, option: string): Promise<readonly Candidate[] | undefined> {
  if (option === 'overlay') return plain(['selinux']);
  if (option === 'transport') return plain(TRANSPORTS);
  if (option === 'view') return plain((await import('../../view/top/index.ts')).TOP_VIEW_NAMES);
  if (option !== 'output') return undefined;
  // Loaded only here: the forms bring the whole analysis with them.
  if (command === 'capture') return plain((await import('../outputs/index.ts')).OUTPUT_NAMES);
  if (command !== 'read') return plain(['text', 'json']);
  const [{ ANALYSIS_OUTPUT_NAMES }, { FORMATS }] = await Promise.all([
    import('../analysis/index.ts'),
    import('../convert/index.ts'),
  ]);
  return plain([...ANALYSIS_OUTPUT_NAMES, ...FORMATS.map(({ name }) => name)]);
}

function plain(values: readonly string[]): Candidate[] {
  return values.map((value) => ({ value, about: '' }));
}
