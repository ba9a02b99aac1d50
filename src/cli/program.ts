import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { VERSION } from '../wire/version.ts';
import { addPacketFlags, addTargetFlags, addTransportFlags, CLOCK_FLAG } from './capture/flags.ts';
import type { RawCaptureOptions } from './capture/options.ts';
import type { RawCleanupOptions } from './cleanup/command.ts';
import { addCompletionCommands } from './completion/commands.ts';
import type { RawDoctorOptions } from './doctor/command.ts';
import { addExtcapCommands } from './extcap/commands.ts';
import { addHelpCommand } from './help/commands.ts';
import type { RawInstallOptions } from './install/commands.ts';
import { mistypedCommand } from './mistyped-command.ts';
import type { RawReadOptions } from './read/options.ts';
import { applySettings } from './settings/apply.ts';
import type { RawConfigOptions } from './settings/command.ts';
import type { SetValue } from './settings/read.ts';
import { addTopCommand } from './top/commands.ts';
import { addProfileCommands } from './wireshark-profile/commands.ts';

/** The commands and their flags. Each action loads its code when it runs: --version and --help stay instant. */
export function program(
  setExit: (code: number) => void,
  onSettings: (used: readonly SetValue[]) => void = () => {},
): Command {
  // Under kubectl the user typed `kubectl ksnoop`, and help should say so.
  const name = basename(process.argv[1] ?? '').startsWith('kubectl-') ? 'kubectl ksnoop' : 'ksnoop';
  const ksnoop = new Command(name)
    .description('Point at any Kubernetes object and see its packets: in Wireshark, in a file, or line by line.')
    .version(VERSION, '-V, --version')
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError()
    .hook('preAction', async (_, command) => onSettings(await applySettings(command)));

  const capture = ksnoop
    .command('capture', { isDefault: true })
    .description('capture targets (the default command)')
    .argument(
      '[targets...]',
      'KIND/NAME ... such as deploy/web, svc/api, node/n1, "pod/web-*"; with --local: netns/NAME, pid/N, host, pod/NAME',
    );
  addTargetFlags(capture).option(
    '--dry-run',
    'say what would be captured, where and under which rights; -o json for programs',
  );
  addPacketFlags(capture)
    .option('--strict', 'exit code 5 when packets were lost')
    .option(...CLOCK_FLAG)
    .option('-w, --write <FILE>', 'write to FILE, or - for stdout')
    .option('-C, --file-size <SIZE>', 'with -w: begin another file after SIZE; a bare number is millions of bytes')
    .option('-G, --file-time <TIME>', 'with -w: begin another file after this time; a bare number is seconds')
    .option('-W, --files <N>', 'at most N files: with -C the newest stay, with -G the capture ends')
    .option('--ring', 'with -W: the newest files stay, whatever begins a new one')
    .option(
      '-o, --output <FORM>',
      'pcapng (default into a pipe or file), pcap; text (default on a terminal), json, summary, flows, packets',
    )
    .option('--json', 'summary, flows or packets as JSON')
    .option('--where <EXPR>', 'show only what matches: http.status >= 500 && dst.service == "web"')
    .option('--show-secrets', 'show what is masked: passwords, cookies, Authorization')
    .option('--duration <TIME>', 'stop after this time: 30s, 5m, 1h30m')
    .option('--count <N>', 'stop after N packets')
    .option('--max-bytes <SIZE>', 'stop before SIZE of captured bytes is exceeded: 500000, 10M, 64Mi')
    .option('--wireshark', 'start Wireshark and send the packets to it')
    .option('--force', 'write over an existing file');
  addTransportFlags(capture)
    .option('-q, --quiet', 'say nothing but errors and the closing summary')
    .option('-v, --verbose', 'say more')
    .action(async (targets: string[], options: RawCaptureOptions, command: Command) => {
      if (wantsWelcome(command)) {
        const { welcome } = await import('./help/welcome.ts');
        process.stdout.write(welcome(ksnoop));
        return;
      }
      const { captureCommand } = await import('./capture/command.ts');
      const commands = ksnoop.commands.map((command) => command.name());
      setExit(
        await captureCommand(targets, options).catch(async (thrown: unknown) => {
          const { targetKind } = await import('../capture/kinds/index.ts');
          throw mistypedCommand(thrown, targets, commands, (word) => targetKind(word) !== undefined) ?? thrown;
        }),
      );
    });

  ksnoop
    .command('read')
    .description('analyse a capture file: what was said to whom, how fast, and what failed')
    .argument('[file]', 'pcap or pcapng, also with gzip or zstd; - for stdin')
    .option('-o, --output <FORM>', 'text (default), json, summary, flows, or packets')
    .option('--json', 'summary, flows or packets as JSON')
    .option('--where <EXPR>', 'only what matches: http.status >= 500 && dst.service == "web"')
    .option('-f, --filter <BPF>', 'only packets that pass, in the language of pcap-filter(7)')
    .option('--from <TIME>', 'only from then on: 2026-11-23T14:03:07Z, 14:03:07, or +90s after the first packet')
    .option('--to <TIME>', 'only until then')
    .option('-w, --write <FILE>', 'write a capture instead: pcapng, or pcap as FILE ends or -o says')
    .option('-s, --snaplen <BYTES>', 'with -w: bytes kept of each packet')
    .option('--force', 'with -w: write over an existing file')
    .option('--show-secrets', 'show what is masked: passwords, cookies, Authorization')
    .option('--follow', 'go on as the file grows')
    .option('-q, --quiet', 'say nothing but errors')
    .option('-v, --verbose', 'say more')
    .action(async (file: string | undefined, options: RawReadOptions) => {
      const { readCommand } = await import('./read/command.ts');
      setExit(await readCommand(file, options));
    });

  addTopCommand(ksnoop, setExit);

  const onCluster = (command: Command) =>
    command
      .option('--context <NAME>', 'context of the kubeconfig')
      .option('--kubeconfig <FILE>', 'kubeconfig to use')
      .option('-q, --quiet', 'say nothing but errors');

  onCluster(ksnoop.command('install').description('put the agents on the nodes, or bring them up to date'))
    .option('--image <IMAGE>', "the agents' image, as your nodes can pull it or already have it")
    .option('--pull-secret <NAME...>', 'Secrets in namespace ksnoop to pull it with')
    .addOption(new Option('--overlay <NAME>', 'a variant from daemonset/overlays').choices(['selinux']))
    .option('--timeout <TIME>', 'how long to wait for the agents to be ready', '3m')
    .action(async (options: RawInstallOptions) => {
      const { installCommand } = await import('./install/commands.ts');
      setExit(await installCommand(options));
    });
  onCluster(ksnoop.command('uninstall').description('remove the agents and everything installed with them')).action(
    async (options: RawInstallOptions) => {
      const { uninstallCommand } = await import('./install/commands.ts');
      setExit(await uninstallCommand(options));
    },
  );
  onCluster(ksnoop.command('status').description('show the agents, node by node'))
    .option('-o, --output <FORM>', 'text or json', 'text')
    .action(async (options: RawInstallOptions) => {
      const { statusCommand } = await import('./install/commands.ts');
      setExit(await statusCommand(options));
    });
  ksnoop
    .command('doctor')
    .description('look for what is wrong with client, cluster, rights, agents and Wireshark, and say what mends it')
    .option('-n, --namespace <NAMESPACE>', "where you want to capture (default: the context's)")
    .option('-o, --output <FORM>', 'text or json', 'text')
    .option('--context <NAME>', 'context of the kubeconfig')
    .option('--kubeconfig <FILE>', 'kubeconfig to use')
    .action(async (options: RawDoctorOptions) => {
      const { doctorCommand } = await import('./doctor/command.ts');
      setExit(await doctorCommand(options));
    });
  ksnoop
    .command('cleanup')
    .description('remove what captures left behind, if anything, on this machine and in the cluster')
    .option('--dry-run', 'only say what there is')
    .option('-o, --output <FORM>', 'text or json', 'text')
    .option('--context <NAME>', 'context of the kubeconfig')
    .option('--kubeconfig <FILE>', 'kubeconfig to use')
    .action(async (options: RawCleanupOptions) => {
      const { cleanupCommand } = await import('./cleanup/command.ts');
      setExit(await cleanupCommand(options));
    });
  ksnoop
    .command('config')
    .description('show the defaults of flags, and which file or variable they come from')
    .option('-o, --output <FORM>', 'text or json', 'text')
    .action(async (options: RawConfigOptions) => {
      const { configCommand } = await import('./settings/command.ts');
      setExit(await configCommand(ksnoop, options));
    });
  addExtcapCommands(ksnoop, setExit);
  addProfileCommands(ksnoop, setExit);
  addCompletionCommands(ksnoop, setExit);
  addHelpCommand(ksnoop);
  return ksnoop;
}

/** `ksnoop` alone, by a person: nothing is named, no flag is given, and somebody reads. */
function wantsWelcome(command: Command): boolean {
  const said = command.options.some((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  return command.args.length === 0 && !said && process.stdin.isTTY === true && process.stdout.isTTY === true;
}
