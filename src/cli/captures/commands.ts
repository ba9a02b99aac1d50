import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { addClusterFlags, addTextOrJson, addVerbosityFlags } from '../flags.ts';
import { addReadingFlags } from '../read/commands.ts';
import type { RawCapturesOptions } from './command.ts';
import type { RawGetOptions } from './get.ts';
import type { RawRecordOptions } from './record-options.ts';

/** `ksnoop captures`, `record`, `get`, `stop` and `delete`: Captures of tenants. */
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
  addRecordCommand(ksnoop, setExit);
  addGetCommand(ksnoop, setExit);
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

function addRecordCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const record = ksnoop
    .command('record')
    .description('record packets in the cluster, without this machine: for hours, or around what a trigger finds')
    .argument('<targets...>', 'KIND/NAME of one namespace: svc/web, deploy/api, pod/web-1')
    .option('-n, --namespace <NAMESPACE>', "the targets' namespace (default: the context's)")
    .option('--duration <TIME>', 'how long, up to 24h', '1h')
    .option('-f, --filter <BPF>', 'only packets that pass this pcap-filter(7) expression')
    .option('-s, --snaplen <BYTES>', 'bytes kept of each packet')
    .option('--ring <FILESxSIZE>', 'on each node, keep the last FILES files of SIZE: 24x50M')
    .option('--bytes <SIZE>', 'on each node, at most so much disk')
    .option(
      '--trigger <EXPRESSION>',
      "keep only what is around requests that match: 'http.status >= 500' (ksnoop help fields)",
    )
    .option('--before <TIME>', 'with --trigger: keep packets from this long before (default: 30s)')
    .option('--after <TIME>', 'with --trigger: keep packets up to this long after (default: 10s)')
    .option(
      '--to <DESTINATION>',
      "node: the nodes' disks, for 24 h after the end; or a bucket or claim that the administrator defined",
      'node',
    )
    .option('--name <NAME>', 'of the Capture (default: ksnoop- and random characters)')
    .option('--whole-node', "of pods on their node's network: all of its traffic")
    .option('--wait <true|false>', 'return when every pod is recorded', 'true')
    .option('--dry-run', 'print the Capture and do not make it')
    .option('-o, --output <FORMAT>', 'with --dry-run: yaml (default) or json');
  addVerbosityFlags(addClusterFlags(record)).action(async (words: string[], options: RawRecordOptions) => {
    const { recordCommand } = await import('./record.ts');
    setExit(await recordCommand(words, options));
  });
  addExamples(record, [
    [
      "record svc/web -n shop --duration 8h --ring 24x50M --trigger 'http.status >= 500'",
      'what is around failures, all night',
    ],
    ['record deploy/api -n shop --duration 30m --name api', 'all packets of half an hour'],
    ['record svc/web -n shop --dry-run -o yaml', 'the object, for kubectl apply'],
  ]);
}

function addGetCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const get = ksnoop
    .command('get')
    .description('fetch a recording from all nodes: one file, or any output of ksnoop read')
    .argument('<capture/NAME>', 'as ksnoop captures lists it')
    .option('-n, --namespace <NAMESPACE>', "its namespace (default: the context's)");
  addReadingFlags(get).option(
    '--directory <DIRECTORY>',
    'keep the files of the nodes there too, and fetch only those that are missing',
  );
  addVerbosityFlags(addClusterFlags(get)).action(async (word: string, options: RawGetOptions) => {
    const { getCommand } = await import('./get.ts');
    setExit(await getCommand(word, options));
  });
  addExamples(get, [
    ['get capture/night -n shop -w night.pcapng', 'all of it, in one file'],
    ['get capture/night -n shop -o summary', 'services, errors, latencies'],
    [
      "get capture/night -n shop --where 'http.status >= 500' -w failed.pcapng",
      'the connections in which requests failed',
    ],
  ]);
}
