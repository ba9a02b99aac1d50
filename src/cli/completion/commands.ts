import { Argument, type Command } from 'commander';
import { addExamples } from '../examples.ts';

interface RawCompleteOptions {
  readonly line?: string;
  readonly breaks?: string;
  readonly refresh?: boolean;
}

/** `ksnoop completion SHELL`, and what its scripts call. */
export function addCompletionCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const completion = ksnoop
    .command('completion')
    .description('print the completion script of a shell: source <(ksnoop completion bash)')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: string) => {
      const { SCRIPTS } = await import('./scripts.ts');
      process.stdout.write(SCRIPTS[shell] ?? '');
    });
  addExamples(completion, [
    ['completion bash > ~/.local/share/bash-completion/completions/ksnoop', 'completion in every new bash shell'],
    ['completion fish | source', 'completion in this fish shell'],
  ]);
  ksnoop
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .option('--line <LINE>')
    .option('--breaks <CHARACTERS>')
    .option('--refresh')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (words: string[], options: RawCompleteOptions) => {
      const { completionProgram } = await import('./program.ts');
      setExit(await completionProgram(ksnoop, words, options));
    });
}
