import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { addVerbosityFlags } from '../flags.ts';
import type { RawMergeOptions } from './command.ts';

/** `ksnoop merge`: summaries of several captures, added up. */
export function addMergeCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const merge = ksnoop
    .command('merge')
    .description('add up summaries that were saved with -o summary-state')
    .argument('<files...>', 'saved summaries, also compressed, or directories of them; - for stdin')
    .option('-o, --output <FORMAT>', 'summary (default), json, csv=TABLE, map=FORMAT, or summary-state=FILE')
    .option('--json', 'summary or map as JSON');
  addVerbosityFlags(merge).action(async (files: string[], options: RawMergeOptions) => {
    const { mergeCommand } = await import('./command.ts');
    setExit(await mergeCommand(files, options));
  });
  addExamples(merge, [
    ['merge monday.json tuesday.json', 'services, errors, latencies of both'],
    ['merge states/ -o json', 'all saved summaries of a directory, as JSON'],
    ['merge states/ -o summary-state=all.json', 'one saved summary of many'],
  ]);
}
