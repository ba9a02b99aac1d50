import type { TransportPreference } from '../../capture/agents/transport-preference.ts';
import { TARGETS_MAXIMUM } from '../../capture/limits.ts';
import { OUTPUT_NAMES, outputKind } from '../../run/outputs/index.ts';
import type { OutputKind } from '../../run/outputs/output.ts';
import { completeRotation, type RawRotationOptions, type Rotation } from '../../run/rotation/options.ts';
import { HEADERS_SNAPLEN, SNAPLEN_DEFAULT, SNAPLEN_MAXIMUM } from '../../wire/limits.ts';
import { durationOf } from '../duration.ts';
import { sizeOf } from '../size.ts';
import { usage } from '../usage.ts';
import { completeTargets, isSelecting, type RawTargetOptions, type TargetOptions } from './target-options.ts';
import { completeTransport, type RawTransportOptions } from './transport-options.ts';

/** What commander hands over for `ksnoop capture`, before it is believed. */
export interface RawCaptureOptions extends RawTargetOptions, RawTransportOptions, RawRotationOptions {
  readonly container?: string;
  readonly interface: string;
  readonly filter?: string;
  readonly snaplen?: string;
  readonly headersOnly?: boolean;
  readonly wholeNode?: boolean;
  readonly strict?: boolean;
  readonly correctClockSkew?: boolean;
  readonly write?: string;
  readonly output?: string;
  readonly json?: boolean;
  readonly where?: string;
  readonly showSecrets?: boolean;
  readonly duration?: string;
  readonly count?: string;
  readonly maxBytes?: string;
  readonly wireshark?: boolean;
  readonly force?: boolean;
  readonly local?: boolean;
  readonly dryRun?: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** A capture as it will be run: complete, validated, never changed. */
export interface CaptureConfig extends TargetOptions {
  readonly targets: readonly string[];
  readonly container: string | undefined;
  readonly interface: string;
  readonly filter: string | undefined;
  readonly snaplen: number;
  /** Of pods on their node's network all of the node's traffic. */
  readonly wholeNode: boolean;
  /** Loss ends in exit code 5. */
  readonly strict: boolean;
  readonly correctClocks: boolean;
  readonly output: OutputKind;
  readonly json: boolean;
  readonly where: string | undefined;
  readonly showSecrets: boolean;
  /** Where it goes: a file's path, Wireshark, or stdout. */
  readonly sink: { readonly kind: 'stdout' | 'wireshark' } | { readonly kind: 'file'; readonly path: string };
  /** Several files, one after the other; undefined: everything goes into one. */
  readonly rotation: Rotation | undefined;
  readonly force: boolean;
  readonly durationMs: number;
  readonly packets: number;
  readonly bytes: number;
  readonly local: boolean;
  /** How the agents are reached. */
  readonly wish: TransportPreference;
  /** Only say what would be captured, as text or JSON. */
  readonly dryRun: boolean;
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/**
 * Complete and validate what the user typed.
 * @param stdoutIsTerminal decides the default output, and refuses binary there
 * @param canAsk whether the user can be asked for what is missing: targets
 * @throws KsnoopError USAGE (exit 2), one sentence each
 */
export function completeCapture(
  targets: readonly string[],
  raw: RawCaptureOptions,
  stdoutIsTerminal: boolean,
  canAsk = false,
): CaptureConfig {
  const chosen = completeTargets(raw, raw.local === true, TARGETS_MAXIMUM);
  if (targets.length === 0 && !isSelecting(chosen) && !(canAsk && !raw.local)) {
    throw usage(
      'There is no target to capture.',
      'Name one, for example: ksnoop pod/web-1 -n shop; more is in ksnoop --help and ksnoop help capture.',
    );
  }
  if (raw.headersOnly && raw.snaplen !== undefined) throw usage('--headers-only and -s exclude each other.');
  if (raw.wireshark && raw.write !== undefined) throw usage('--wireshark and -w exclude each other.');
  if (raw.write === '') throw usage('-w takes the name of a file, or - for stdout.');
  const sink: CaptureConfig['sink'] = raw.wireshark
    ? { kind: 'wireshark' }
    : raw.write === undefined || raw.write === '-'
      ? { kind: 'stdout' }
      : { kind: 'file', path: raw.write };
  const toTerminal = sink.kind === 'stdout' && stdoutIsTerminal;
  if (raw.dryRun) checkDryRun(raw);
  const name = raw.output ?? (raw.dryRun || (toTerminal && raw.write === undefined) ? 'text' : 'pcapng');
  const output = outputKind(name);
  if (output === undefined) throw usage(`There is no output "${name}".`, `There are: ${OUTPUT_NAMES.join(', ')}.`);
  if (output.binary && toTerminal) {
    const hint = 'Send it to a program or a file: ksnoop pod/NAME | wireshark -k -i -, or -w FILE';
    throw usage(`The ${name} form is binary and stdout is a terminal.`, hint);
  }
  if (!output.binary && sink.kind === 'wireshark') throw usage(`Wireshark does not read the ${name} form.`);
  if (output.binary && raw.where !== undefined) {
    throw usage(
      `--where chooses what is shown; the ${name} form holds packets.`,
      'Choose packets with -f, or say -o text.',
    );
  }
  if (raw.json === true && !output.json)
    throw usage(`The ${name} output has no JSON form; the whole story is -o json.`);
  if (raw.local && (raw.context !== undefined || raw.kubeconfig !== undefined)) {
    throw usage('--local asks no cluster, so --context and --kubeconfig have no meaning with it.');
  }
  if (raw.local && raw.container !== undefined) throw usage('-c needs the cluster; with --local filter by port: -f');
  return {
    ...chosen,
    targets,
    container: raw.container,
    interface: raw.interface,
    filter: raw.filter,
    snaplen: raw.headersOnly ? HEADERS_SNAPLEN : snaplenOf(raw.snaplen),
    wholeNode: raw.wholeNode === true,
    strict: raw.strict === true,
    correctClocks: raw.correctClockSkew === true,
    output,
    json: raw.json === true,
    where: raw.where,
    showSecrets: raw.showSecrets === true,
    sink,
    rotation: rotationOf(raw, output),
    force: raw.force === true,
    durationMs: raw.duration === undefined ? Number.POSITIVE_INFINITY : durationOf(raw.duration, '--duration'),
    packets: raw.count === undefined ? Number.POSITIVE_INFINITY : wholeOf(raw.count, '--count'),
    bytes: raw.maxBytes === undefined ? Number.POSITIVE_INFINITY : sizeOf(raw.maxBytes, '--max-bytes'),
    local: raw.local === true,
    wish: completeTransport(raw, raw.local === true),
    dryRun: raw.dryRun === true,
    context: raw.context,
    kubeconfig: raw.kubeconfig,
    quiet: raw.quiet === true,
    verbose: raw.verbose === true,
  };
}

function rotationOf(raw: RawCaptureOptions, output: OutputKind): Rotation | undefined {
  const rotation = completeRotation(raw, raw.write);
  if (rotation !== undefined && !output.binary) throw usage('-C and -G begin new captures: they need pcapng or pcap.');
  return rotation;
}

function checkDryRun(raw: RawCaptureOptions): void {
  if (raw.local) throw usage('--dry-run asks the cluster, so --local has no meaning with it.');
  if (raw.write !== undefined || raw.wireshark) throw usage('--dry-run captures nothing that could be written.');
  if (raw.output !== undefined && raw.output !== 'text' && raw.output !== 'json') {
    throw usage(`There is no output "${raw.output}" of --dry-run.`, 'There are: text, json.');
  }
}

/** As tcpdump's -s: 0 is the default. */
function snaplenOf(text: string | undefined): number {
  if (text === undefined || text === '0') return SNAPLEN_DEFAULT;
  const snaplen = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (snaplen >= 1 && snaplen <= SNAPLEN_MAXIMUM) return snaplen;
  throw usage(`-s takes 0 to ${SNAPLEN_MAXIMUM} bytes, not "${text}".`);
}

function wholeOf(text: string, flag: string): number {
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Number(text);
  throw usage(`${flag} takes a whole number above 0, not "${text}".`);
}
