import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { addClusterFlags, addTextOrJson } from '../flags.ts';
import type { RawCapturesOptions } from './command.ts';

/** `ksnoop captures`, `stop` and `delete`: Captures of tenants. */
export function addCapturesCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const captures = ksnoop
    .command('captures')
    .description('list the Captures of tenants: who captures what')
    .option('-n, --namespace <NAMESPACE>', "their namespace (default: the context's)")
    .option('-A, --all-namespaces', 'of all namespaces');
  addClusterFlags(addTextOrJson(captures)).action(async (options: RawCapturesOptions) => {
    const { capturesCommand } = await import('./command.ts');
    setExit(await capturesCommand(options));
  });
  addExamples(captures, [
    ['captures -A', 'all of the cluster'],
    ['captures -n shop -o json', 'those of a namespace, for programs'],
  ]);
  const endings = [
    ['stop', 'end Captures, and keep their objects', 'stop capture/ksnoop-x7k2p -n shop'],
    ['delete', 'end Captures and remove their objects', 'delete capture/ksnoop-x7k2p -n shop'],
  ] as const;
  for (const [name, description, example] of endings) {
    const command = ksnoop
      .command(name)
      .description(description)
      .argument('<capture/NAME...>', 'as ksnoop captures lists them')
      .option('-n, --namespace <NAMESPACE>', "their namespace (default: the context's)");
    addClusterFlags(command).action(async (words: string[], options: RawCapturesOptions) => {
      const { endCapturesCommand } = await import('./command.ts');
      setExit(await endCapturesCommand(name, words, options));
    });
    addExamples(command, [[example, `${description.split(',')[0]} of namespace shop`]]);
  }
}
