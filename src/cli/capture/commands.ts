import type { Command } from 'commander';
import { captureFiles } from '../capture-files.ts';
import { addExamples, type Example } from '../examples.ts';
import { addVerbosityFlags } from '../flags.ts';
import { foreignCommand, isRefusedTarget, mistakenTarget, mistypedCommand } from '../mistyped-command.ts';
import { isTerminal } from '../terminal.ts';
import {
  addPacketFlags,
  addTargetFlags,
  addTransportFlags,
  CLOCK_FLAG,
  EDGE_FLAG,
  FORMAT_FLAG,
  KEYLOG_FLAG,
  NO_EDGE_FLAG,
  REPORT_FLAG,
  SECRETS_FLAG,
  UTC_FLAG,
  WHERE_FLAG,
} from './flags.ts';
import type { RawCaptureOptions } from './options.ts';

const EXAMPLES: readonly Example[] = [
  ['svc/web -n shop', 'requests and responses of a Service, line by line'],
  ['pod/web-1 --wireshark', 'a pod in Wireshark'],
  ['deploy/web -w web.pcapng --duration 30s', 'the packets of 30 seconds in a file'],
  ['-A -l app=web -o json | jq .http', 'all pods with a label, as JSON'],
  ["svc/web --where 'http.status >= 500'", 'only what failed'],
  ['node/worker-1 -f "tcp port 5432" -o flows', "connections of a node to its database's port"],
  ['--local netns/web -w - | tcpdump -r -', 'a network namespace of this machine, without Kubernetes'],
];

/**
 * `ksnoop capture`, which is also `ksnoop` without a command.
 * @param allCommands the program with all commands, where the words turn out to be another command's
 */
export function addCaptureCommand(
  ksnoop: Command,
  setExit: (code: number) => void,
  allCommands: () => Promise<Command>,
): void {
  const capture = ksnoop
    .command('capture', { isDefault: true })
    .description('capture targets (the default command)')
    .argument(
      '[targets...]',
      'KIND/NAME ... such as deploy/web, svc/api, node/n1, "pod/web-*"; with --local: netns/NAME, pid/N, host, pod/NAME',
    );
  addTargetFlags(capture).option('--dry-run', 'print what would be captured, where and with which permissions');
  addPacketFlags(capture)
    .option('--strict', 'exit code 5 when packets were lost')
    .option(...CLOCK_FLAG);
  addOutputFlags(capture);
  addTransportFlags(capture);
  addVerbosityFlags(capture).action(async (targets: string[], options: RawCaptureOptions, command: Command) => {
    if (wantsWelcome(command)) {
      const { welcome } = await import('../help/welcome.ts');
      process.stdout.write(welcome(ksnoop));
      return;
    }
    if (captureFiles(targets)) {
      await (await allCommands()).parseAsync(withRead(process.argv));
      return;
    }
    setExit(await captured(allCommands, targets, options));
  });
  addExamples(capture, EXAMPLES);
}

/** The same command line as one of `ksnoop read`. */
export function withRead([node = '', program = '', ...words]: readonly string[]): string[] {
  return [node, program, 'read', ...words.filter((word, index) => index > 0 || word !== 'capture')];
}

async function captured(
  allCommands: () => Promise<Command>,
  targets: readonly string[],
  options: RawCaptureOptions,
): Promise<number> {
  const foreign = foreignCommand(targets);
  if (foreign !== undefined) throw foreign;
  const { captureCommand } = await import('./command.ts');
  try {
    return await captureCommand(targets, options);
  } catch (thrown) {
    // Of any other error no more is known: it needs neither the kinds nor all commands.
    if (!isRefusedTarget(thrown)) throw thrown;
    const { targetKind } = await import('../../capture/kinds/index.ts');
    const commands = (await allCommands()).commands.map((command) => command.name());
    throw (
      mistypedCommand(thrown, targets, commands, (word) => targetKind(word) !== undefined) ??
      mistakenTarget(thrown, targets) ??
      thrown
    );
  }
}

function addOutputFlags(capture: Command): void {
  capture
    .option('-w, --write <FILE>', 'write to FILE, or - for stdout')
    .option('-C, --file-size <SIZE>', 'with -w: begin another file after SIZE; a bare number is millions of bytes')
    .option('-G, --file-time <TIME>', 'with -w: begin another file after this time; a bare number is seconds')
    .option('-W, --files <N>', 'at most N files: with -C the newest are kept, with -G the capture ends')
    .option('--ring', 'with -W: keep the newest files, whatever begins a new one')
    .option(
      '-o, --output <FORMAT>',
      'pcapng (default into a pipe or file), pcap; text (default on a terminal), json, summary, summary-state=FILE, findings, flows, trace, html, map, csv, parquet=DIR, har, curl, state, custom-columns=…, jsonpath=…, template=…, stream=FLOW, packets',
    )
    .option('--json', 'summary, findings, flows, trace, map or packets as JSON')
    .option(...FORMAT_FLAG)
    .option(...REPORT_FLAG)
    .option(...WHERE_FLAG)
    .option(...SECRETS_FLAG)
    .option(...KEYLOG_FLAG)
    .option(...UTC_FLAG)
    .option(...EDGE_FLAG)
    .option(...NO_EDGE_FLAG)
    .option('--duration <TIME>', 'stop after this time: 30s, 5m, 1h30m')
    .option('--count <N>', 'stop after N packets')
    .option('--max-bytes <SIZE>', 'stop before SIZE of captured bytes is exceeded: 500000, 10M, 64Mi')
    .option('--wireshark', 'start Wireshark and send the packets to it')
    .option('--force', 'overwrite an existing file');
}

/** `ksnoop` alone, by a person: nothing is named, no flag is given, and both ends are a terminal. */
function wantsWelcome(command: Command): boolean {
  const given = command.options.some((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  return command.args.length === 0 && !given && isTerminal('stdin') && isTerminal('stdout');
}
