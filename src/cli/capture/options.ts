import { TARGETS_MAXIMUM } from '../../capture/limits.ts';
import { analysisOutput } from '../../run/analysis/index.ts';
import type { CaptureConfig } from '../../run/capture/config.ts';
import { isSelecting } from '../../run/capture/target-query.ts';
import type { OutputConfig } from '../../run/outputs/config.ts';
import { analysedKind, OUTPUT_NAMES, outputKind } from '../../run/outputs/index.ts';
import type { OutputKind } from '../../run/outputs/output.ts';
import { withReport } from '../../run/report/with-report.ts';
import type { Rotation } from '../../run/rotation/rotating-output.ts';
import type { SinkTarget } from '../../run/sink/sink.ts';
import { HEADERS_SNAPLEN } from '../../wire/limits.ts';
import { pluginTerminal } from '../cluster.ts';
import { checkLiveKeyLog } from '../live-key-log.ts';
import { checkArgument, checkBytesShown, chosenOutput } from '../output-argument.ts';
import { checkPage, checkReport } from '../report-option.ts';
import { shellWord } from '../shell-word.ts';
import { textOrJson, usage } from '../usage.ts';
import { durationOf, sizeOf, snaplenOf, wholeOf } from '../values.ts';
import { profileArguments } from '../wireshark-profile/install.ts';
import { chooseEdge, type EdgeChoice } from './edge-option.ts';
import { completeRotation, type RawRotationOptions } from './rotation-options.ts';
import { completeTargets, type RawTargetOptions } from './target-options.ts';
import { completeTransport, type RawTransportOptions } from './transport-options.ts';

/** The flags for what is captured and until when, as commander passes them. */
export interface RawPacketOptions extends RawTargetOptions, RawTransportOptions {
  readonly container?: string;
  readonly interface: string;
  readonly filter?: string;
  readonly snaplen?: string;
  readonly headersOnly?: boolean;
  readonly wholeNode?: boolean;
  readonly correctClockSkew?: boolean;
  readonly duration?: string;
  readonly count?: string;
  readonly maxBytes?: string;
  readonly local?: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** What commander hands over for `ksnoop capture`, before it is validated. */
export interface RawCaptureOptions extends RawPacketOptions, RawRotationOptions {
  readonly strict?: boolean;
  readonly write?: string;
  readonly output?: string;
  readonly format?: string;
  readonly report?: string;
  readonly json?: boolean;
  readonly where?: string;
  readonly showSecrets?: boolean;
  readonly keylog?: string;
  readonly utc?: boolean;
  readonly wireshark?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly edge?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** `ksnoop capture` as it will be run: complete, validated, never changed. */
export interface CaptureCommand {
  readonly capture: CaptureConfig;
  readonly output: OutputConfig;
  /** Only print what would be captured, in this form. */
  readonly dryRun: 'text' | 'json' | undefined;
  /** Whether the packets are analysed on their nodes. */
  readonly edge: EdgeChoice;
  /** Binary goes to stdout though the user did not ask for it. */
  readonly binaryByDefault: boolean;
  /** Loss ends in exit code 5. */
  readonly strict: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** Who is at the terminal. */
export interface CaptureTerminals {
  /** Decides the default output, and refuses binary there. */
  readonly stdoutIsTerminal: boolean;
  /** Whether the user can be asked for targets. */
  readonly canAsk: boolean;
}

/**
 * Complete and validate the command line of `ksnoop capture`.
 * @throws KsnoopError USAGE (exit 2), one sentence each
 */
export function completeCapture(
  targets: readonly string[],
  raw: RawCaptureOptions,
  { stdoutIsTerminal, canAsk }: CaptureTerminals,
): CaptureCommand {
  const capture = completePackets(targets, raw);
  if (!(canAsk && !capture.local)) checkTargets(capture, exampleFlags(raw));
  // Before the output: its error names the flag that is wrong.
  const dryRun = raw.dryRun ? completeDryRun(raw) : undefined;
  const output = completeOutput(raw, stdoutIsTerminal);
  return {
    // A pcap file has no place for the state.
    capture: { ...capture, state: output.output.name !== 'pcap' },
    dryRun,
    output,
    edge: chooseEdge(raw, output.output.name, capture),
    binaryByDefault: raw.output === undefined && raw.write === undefined && !raw.wireshark && !stdoutIsTerminal,
    strict: raw.strict === true,
    quiet: raw.quiet === true,
    verbose: raw.verbose === true,
  };
}

/** What the user typed that an example of the whole command line should keep. */
function exampleFlags({ output, write }: RawCaptureOptions): string {
  const flags = { o: output, w: write };
  return Object.entries(flags)
    .map(([flag, value]) => (value === undefined ? '' : ` -${flag} ${shellWord(value)}`))
    .join('');
}

/**
 * Complete and validate what is captured and until when.
 * @throws KsnoopError USAGE (exit 2)
 */
export function completePackets(targets: readonly string[], raw: RawPacketOptions): CaptureConfig {
  const local = raw.local === true;
  if (raw.headersOnly && raw.snaplen !== undefined) throw usage('--headers-only and -s exclude each other.');
  if (local && (raw.context !== undefined || raw.kubeconfig !== undefined)) {
    throw usage('--local uses no cluster, so --context and --kubeconfig have no meaning with it.');
  }
  if (local && raw.container !== undefined) throw usage('-c needs the cluster; with --local filter by port: -f');
  return {
    ...completeTargets(raw, local, TARGETS_MAXIMUM),
    targets,
    local,
    kubeconfig: raw.kubeconfig,
    pluginTerminal: pluginTerminal(),
    context: raw.context,
    transport: completeTransport(raw, local),
    container: raw.container,
    wholeNode: raw.wholeNode === true,
    interface: raw.interface,
    filter: raw.filter,
    snaplen: raw.headersOnly ? HEADERS_SNAPLEN : snaplenOf(raw.snaplen),
    correctClocks: raw.correctClockSkew === true,
    durationMs: raw.duration === undefined ? Number.POSITIVE_INFINITY : durationOf(raw.duration, '--duration'),
    packets: raw.count === undefined ? Number.POSITIVE_INFINITY : wholeOf(raw.count, '--count'),
    bytes: raw.maxBytes === undefined ? Number.POSITIVE_INFINITY : sizeOf(raw.maxBytes, '--max-bytes'),
  };
}

/**
 * @param flags what the user typed besides, for the example
 * @throws KsnoopError USAGE (exit 2) without a target
 */
export function checkTargets(capture: CaptureConfig, flags = ''): void {
  if (capture.targets.length > 0 || isSelecting(capture)) return;
  const example = capture.local ? `ksnoop --local host${flags}` : `ksnoop pod/web-1 -n shop${flags}`;
  throw usage(
    'There is no target to capture.',
    `Name one, for example: ${example}; all kinds: ksnoop help targets, all flags: ksnoop --help`,
  );
}

function completeOutput(raw: RawCaptureOptions, stdoutIsTerminal: boolean): OutputConfig {
  const sink = sinkOf(raw);
  const toTerminal = sink.kind === 'stdout' && stdoutIsTerminal;
  const named = raw.output ?? (raw.dryRun || (toTerminal && raw.write === undefined) ? 'text' : 'pcapng');
  const { name, argument } = chosenOutput(named, raw.format);
  const output = outputKind(name);
  if (output === undefined) throw usage(`There is no output "${name}".`, `There are: ${OUTPUT_NAMES.join(', ')}.`);
  checkForm(output, sink, toTerminal);
  checkArgument(output, argument, raw.json);
  checkBytesShown({ name, argument }, raw.showSecrets);
  checkReport(raw, name);
  checkPage(name, toTerminal);
  const form = analysisOutput(name);
  if (raw.report !== undefined && form === undefined) {
    throw usage(
      `--report needs an output that analyses the packets; the ${name} format holds them as they are.`,
      'Add -o text.',
    );
  }
  checkLiveKeyLog(raw.keylog, raw.local === true);
  if (name === 'pcap' && raw.keylog !== undefined) {
    throw usage('The pcap format has no place for TLS keys.', 'Leave out -o pcap: pcapng has.');
  }
  if (output.binary && raw.where !== undefined) {
    throw usage(
      `--where chooses what is shown; the ${name} format holds packets.`,
      'Choose packets with -f, or add -o text.',
    );
  }
  if (raw.json === true && !output.json) {
    throw usage(
      `The ${name} output has no JSON form.`,
      'summary, flows, map and packets have one; -o json has everything.',
    );
  }
  return {
    output:
      raw.report === undefined || form === undefined
        ? output
        : analysedKind(withReport(form, { path: raw.report, force: raw.force === true })),
    sink,
    rotation: rotationOf(raw, output),
    force: raw.force === true,
    json: raw.json === true,
    where: raw.where,
    showSecrets: raw.showSecrets === true,
    keyLog: raw.keylog,
    utc: raw.utc === true,
    verbose: raw.verbose === true,
    argument,
  };
}

function sinkOf({ wireshark, write }: RawCaptureOptions): SinkTarget {
  if (wireshark && write !== undefined) throw usage('--wireshark and -w exclude each other.');
  if (write === '') throw usage('-w takes the name of a file, or - for stdout.', 'For example: -w incident.pcapng');
  if (wireshark) return { kind: 'wireshark', arguments: profileArguments() };
  return write === undefined || write === '-' ? { kind: 'stdout' } : { kind: 'file', path: write };
}

/** Binary must not reach a terminal, and Wireshark reads nothing else. */
function checkForm({ name, binary }: OutputKind, sink: SinkTarget, toTerminal: boolean): void {
  if (binary && toTerminal) {
    const hint = 'Send it to a program or a file: ksnoop pod/NAME | wireshark -k -i -, or -w FILE';
    throw usage(`The ${name} format is binary and stdout is a terminal.`, hint);
  }
  if (!binary && sink.kind === 'wireshark') throw usage(`Wireshark does not read the ${name} format.`);
}

function rotationOf(raw: RawCaptureOptions, output: OutputKind): Rotation | undefined {
  const rotation = completeRotation(raw, raw.write);
  if (rotation !== undefined && !output.binary) throw usage('-C and -G begin new captures: they need pcapng or pcap.');
  return rotation;
}

function completeDryRun(raw: RawCaptureOptions): 'text' | 'json' {
  if (raw.local) throw usage('--dry-run looks at the cluster, so --local has no meaning with it.');
  if (raw.asTenant) {
    throw usage(
      '--dry-run checks permissions for the agents, and --as-tenant needs none.',
      'Check yours: kubectl auth can-i create captures.ksnoop.io; kubectl auth can-i capture captures.ksnoop.io',
    );
  }
  if (raw.write !== undefined || raw.wireshark) throw usage('--dry-run captures nothing that could be written.');
  return textOrJson(raw.output, '--dry-run');
}
