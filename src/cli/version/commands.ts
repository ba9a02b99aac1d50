import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { addClusterFlags, addTextOrJson } from '../flags.ts';
import type { RawVersionOptions } from './command.ts';

/** `ksnoop version` and `ksnoop k9s-plugin`. */
export function addVersionCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const version = ksnoop
    .command('version')
    .description('show the versions of this program and of the agents in the cluster')
    .option('--client', 'this program alone, without asking the cluster');
  addClusterFlags(addTextOrJson(version)).action(async (options: RawVersionOptions) => {
    const { versionCommand } = await import('./command.ts');
    setExit(await versionCommand(options));
  });
  addExamples(version, [
    ['version', 'client and agents'],
    ['version -o json', 'the same for programs, with the digests of the images'],
  ]);
  const k9s = ksnoop
    .command('k9s-plugin')
    .description('print a plugin for k9s: keys that capture the selected pod or Service')
    .action(async () => {
      const { k9sPlugin } = await import('./k9s-plugin.ts');
      process.stdout.write(k9sPlugin());
      setExit(0);
    });
  addExamples(k9s, [
    ['k9s-plugin > ~/.config/k9s/plugins/ksnoop.yaml', 'k9s reads it when it starts; the directory must exist'],
  ]);
}
