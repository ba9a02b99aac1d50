import { type Command, Option } from 'commander';
import { addExamples } from '../examples.ts';
import { addClusterFlags } from '../flags.ts';
import type { RawKeyLogPatchOptions } from './command.ts';

/** `ksnoop keylog patch`: how the programs of a workload write the keys of their TLS connections. */
export function addKeyLogCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const keylog = ksnoop.command('keylog').description("keys of your programs' TLS connections, for --keylog");
  const patch = keylog
    .command('patch')
    .description('print a patch with which the programs of a workload write their TLS keys; nothing is changed')
    .argument('<target...>', 'one workload: deploy/web, sts/db, ds/NAME, cronjob/NAME')
    .option('-n, --namespace <NAMESPACE>', "its namespace (default: the context's)")
    .option('-c, --container <NAME>', 'only this container (default: all)')
    .option('--remove', 'print the patch that takes the first one back')
    .addOption(new Option('-o, --output <FORMAT>', 'yaml or json').choices(['yaml', 'json']).default('yaml'));
  addClusterFlags(patch).action(async (words: string[], options: RawKeyLogPatchOptions) => {
    const { keyLogPatchCommand } = await import('./command.ts');
    setExit(await keyLogPatchCommand(words, options));
  });
  addExamples(keylog, [
    ['keylog patch deploy/web -n shop > keys.yaml', 'then: kubectl patch deploy/web -n shop --patch-file keys.yaml'],
    ['keylog patch deploy/web -n shop -c app', 'only one of its containers'],
    ['keylog patch deploy/web -n shop --remove', 'take it back'],
  ]);
}
