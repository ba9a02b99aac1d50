import { type Command, Option } from 'commander';
import { addExamples } from '../examples.ts';
import { addClusterFlags, addTextOrJson } from '../flags.ts';
import type { RawInstallOptions } from './command.ts';

/** `ksnoop install`, `uninstall` and `status`: the agents on the nodes. */
export function addInstallCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const onCluster = (command: Command) => addClusterFlags(command).option('-q, --quiet', 'print only errors');
  const install = onCluster(ksnoop.command('install').description('install the agents on the nodes, or update them'))
    .option('--image <IMAGE>', "the agents' image, as your nodes can pull it or already have it")
    .option('--pull-secret <NAME...>', 'Secrets in namespace ksnoop to pull it with')
    .addOption(new Option('--overlay <NAME>', 'a variant from daemonset/overlays').choices(['selinux', 'cgroup']))
    .option('--captures', 'also Captures of tenants: who may capture what, decided by the API server (docs/tenants.md)')
    .option('--timeout <TIME>', 'how long to wait for the agents to be ready', '3m')
    .action(async (options: RawInstallOptions) => {
      const { installCommand } = await import('./command.ts');
      setExit(await installCommand(options));
    });
  addExamples(install, [
    ['install --image registry.example/ksnoop:1.0', 'agents on every node'],
    ['install --image registry.example/ksnoop:1.0 --pull-secret registry', 'from a registry that needs credentials'],
    ['install --captures', 'let users capture the pods of their own namespaces, and nothing else'],
  ]);
  const uninstall = ksnoop.command('uninstall').description('remove the agents and everything installed with them');
  onCluster(uninstall).action(async (options: RawInstallOptions) => {
    const { uninstallCommand } = await import('./command.ts');
    setExit(await uninstallCommand(options));
  });
  addExamples(uninstall, [['uninstall --context prod', "remove the agents from a context's cluster"]]);
  const status = onCluster(ksnoop.command('status').description('show the agents, node by node'));
  addTextOrJson(status).action(async (options: RawInstallOptions) => {
    const { statusCommand } = await import('./command.ts');
    setExit(await statusCommand(options));
  });
  addExamples(status, [
    ['status', 'which nodes have an agent that is ready, and its captures'],
    ['status -o json', 'the same for programs'],
  ]);
}
