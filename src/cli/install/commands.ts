import { type Command, Option } from 'commander';
import { SIGNALS, SPAN_CHOICES } from '../../run/otlp/choices.ts';
import { addExamples } from '../examples.ts';
import { addClusterFlags, addTextOrJson } from '../flags.ts';
import type { RawInstallOptions, RawUninstallOptions } from './command.ts';

/** `ksnoop install`, `uninstall` and `status`: the agents on the nodes. */
export function addInstallCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const onCluster = (command: Command) => addClusterFlags(command).option('-q, --quiet', 'print only errors');
  const install = onCluster(ksnoop.command('install').description('install the agents on the nodes, or update them'))
    .option('--image <IMAGE>', "the agents' image, as your nodes can pull it or already have it")
    .option('--pull-secret <NAME...>', 'Secrets in namespace ksnoop to pull it with')
    .addOption(new Option('--overlay <NAME>', 'a variant from daemonset/overlays').choices(['selinux', 'cgroup']))
    .option('--captures', 'also Captures of tenants: who may capture what, decided by the API server (docs/tenants.md)')
    .option('--timeout <TIME>', 'how long to wait for the agents to be ready', '3m')
    .option('--dry-run', 'print the objects that would be applied (YAML), and apply nothing')
    .option('--observe <TARGET...>', 'also a Deployment that observes targets all the time (docs/opentelemetry.md)')
    .option('-n, --namespace <NAMESPACES>', "of --observe: namespaces of the targets (default: the context's)")
    .option('-A, --all-namespaces', 'of --observe: targets of all namespaces')
    .option('-l, --selector <LABELS>', 'of --observe: objects with these labels')
    .option('--otlp <URL>', 'of --observe: receiver of OTLP over HTTP, as its pod reaches it')
    .option('--otlp-headers-secret <NAME>', 'of --observe: Secret in namespace ksnoop, key `headers`: NAME=VALUE,…')
    .option('--otlp-ca <FILE>', 'of --observe: certificates (PEM) of the authorities that the receiver is trusted by')
    .option('--signals <LIST>', `of --observe: what is sent: ${SIGNALS.join(',')}`)
    .addOption(new Option('--spans <WHICH>', 'of --observe: exchanges that become spans').choices(SPAN_CHOICES))
    .option('--interval <TIME>', 'of --observe: time between metrics')
    .option('--where <EXPR>', 'of --observe: only what matches')
    .option('--prometheus-port <PORT>', 'of --observe: let Prometheus scrape /metrics at this port of its pod')
    .action(async (options: RawInstallOptions) => {
      const { installCommand } = await import('./command.ts');
      setExit(await installCommand(options));
    });
  addExamples(install, [
    ['install --image registry.example/ksnoop:1.0', 'agents on every node'],
    ['install --image registry.example/ksnoop:1.0 --pull-secret registry', 'from a registry that needs credentials'],
    [
      'install --observe svc/web -n shop --otlp http://collector.monitoring:4318',
      'and metrics, spans and findings of a Service, all the time',
    ],
    ['install --captures', 'let users capture the pods of their own namespaces, and nothing else'],
  ]);
  const uninstall = ksnoop.command('uninstall').description('remove the agents and everything installed with them');
  onCluster(uninstall)
    .option('--observe', 'remove only what install --observe installed')
    .action(async (options: RawUninstallOptions) => {
      const { uninstallCommand } = await import('./command.ts');
      setExit(await uninstallCommand(options));
    });
  addExamples(uninstall, [
    ['uninstall --context prod', "remove the agents from a context's cluster"],
    ['uninstall --observe', 'remove the Deployment that observes; the agents stay'],
  ]);
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
