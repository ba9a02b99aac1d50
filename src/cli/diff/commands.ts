import type { Command } from 'commander';
import { SECRETS_FLAG, WHERE_FLAG } from '../capture/flags.ts';
import { addExamples } from '../examples.ts';
import { addJson, addVerbosityFlags } from '../flags.ts';
import type { RawDiffOptions } from './command.ts';

/** `ksnoop diff`: what changed between two captures, or between two pods. */
export function addDiffCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const diff = ksnoop
    .command('diff')
    .description('what differs between two captures, or two pods of one capture, by more than noise')
    .argument('<files...>', 'two capture files, before and after; with --by pod a file and two pods')
    .option('--by <WHAT>', 'pod: compare what two pods of one capture serve: FILE NAMESPACE/POD NAMESPACE/POD');
  addJson(diff, 'one JSON document')
    .option(...WHERE_FLAG)
    .option(...SECRETS_FLAG)
    .option(
      '--fail-on <WHAT>',
      'exit code 6: worse, when something is worse in the second; any, when something differs',
    );
  addVerbosityFlags(diff).action(async (words: string[], options: RawDiffOptions) => {
    const { diffCommand } = await import('./command.ts');
    setExit(await diffCommand(words, options));
  });
  addExamples(diff, [
    ['diff before.pcapng after.pcapng', 'before and after a rollout'],
    ['diff before.pcapng after.pcapng --fail-on worse', 'in CI: exit code 6 when something got worse'],
    ['diff web.pcapng shop/web-1 shop/web-2 --by pod', 'two pods of one Service'],
  ]);
}
