import type { AnalysisForm } from '../../run/analysis/form.ts';
import { ANALYSIS_OUTPUT_NAMES, analysisOutput } from '../../run/analysis/index.ts';
import { FORMATS, formatNamed, formatOf } from '../../run/convert/index.ts';
import type { Moment } from '../../run/convert/selection.ts';
import type { Shard } from '../../run/input/shard.ts';
import type { ConversionConfig, ReadingConfig } from '../../run/reading/config.ts';
import { withReport } from '../../run/report/with-report.ts';
import { checkArgument, checkBytesShown, chosenOutput } from '../output-argument.ts';
import { checkPage, checkReport } from '../report-option.ts';
import { usage } from '../usage.ts';
import { snaplenOf } from '../values.ts';
import { momentOf, sinceOf } from './moment.ts';

/** What commander hands over for `ksnoop read`, before it is believed. */
export interface RawReadOptions {
  readonly output?: string;
  readonly format?: string;
  readonly report?: string;
  readonly json?: boolean;
  readonly where?: string;
  readonly shard?: string;
  readonly filter?: string;
  readonly from?: string;
  readonly to?: string;
  readonly since?: string;
  readonly write?: string;
  readonly snaplen?: string;
  readonly force?: boolean;
  readonly showSecrets?: boolean;
  readonly utc?: boolean;
  /** The number of a flow, or true; where it is another text, that is a file behind the flag. */
  readonly follow?: boolean | string;
  readonly hex?: boolean;
  readonly raw?: boolean;
  readonly body?: boolean;
  readonly keylog?: string;
  /** False with --no-keys. */
  readonly keys?: boolean;
  readonly failOn?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Those of a capturing command's options that reading files has too. To follow rollouts is not to follow a growing file. */
export function readingOptions(options: RawReadOptions): RawReadOptions {
  const { format, report, force, json, where, showSecrets, keylog, utc, filter, quiet, verbose, failOn } = options;
  const own = { format, report, force, json, where, showSecrets, keylog, utc, filter, quiet, verbose, failOn };
  return Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
}

/** `ksnoop read` as it will be done: complete, validated, never changed. */
export interface ReadCommand {
  readonly reading: ReadingConfig;
  /** What is made of it: lines, or another capture. */
  readonly make: ReadLines | ReadCapture;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export interface ReadLines {
  readonly kind: 'lines';
  readonly output: AnalysisForm;
  /** What stands behind the form's name: `-o map=dot`. */
  readonly argument: string | undefined;
  readonly json: boolean;
  readonly utc: boolean;
  readonly verbose: boolean;
  /** What of the findings ends in exit code 6: a code, or a severity and what is worse. */
  readonly failOn: string | undefined;
}

export interface ReadCapture {
  readonly kind: 'capture';
  readonly conversion: ConversionConfig;
}

/** Outputs that show bodies. */
const WITH_BODIES: ReadonlySet<string> = new Set([
  'text',
  'json',
  'stream',
  'har',
  'jsonpath',
  'template',
  'custom-columns',
]);

/** Who reads, and who is read from. */
export interface Terminals {
  readonly stdin: boolean;
  readonly stdout: boolean;
}

/**
 * Complete and validate what the user typed.
 * @throws KsnoopError USAGE (exit 2), one sentence each
 */
export function completeRead(named: readonly string[], typed: RawReadOptions, terminals: Terminals): ReadCommand {
  const { paths, raw } = withFollowed(named, typed);
  if (paths.length === 0 || (paths.includes('-') && terminals.stdin)) {
    throw usage('There is no capture to read.', 'Name a file, or - for stdin: ksnoop read incident.pcapng');
  }
  if (raw.filter === '') throw usage('-f takes a filter in the language of pcap-filter(7), not nothing.');
  const make = raw.write === undefined ? lines(raw, terminals) : capture(raw.write, raw, terminals);
  if (make.kind === 'capture' && raw.where !== undefined && (paths.includes('-') || raw.follow === true)) {
    throw usage('-w with --where reads the capture twice, so it needs a file.', 'Write the capture to a file first.');
  }
  const utc = raw.utc === true;
  if (raw.follow === true && paths.length > 1)
    throw usage(
      `--follow reads one growing file, or shows one flow${typeof typed.follow === 'string' ? `: "${typed.follow}" is not the number of a flow` : ''}.`,
      'To show one flow, give its number: --follow 7; -o flows shows the numbers.',
    );
  return {
    reading: {
      paths,
      shard: shardOf(raw, paths),
      where: raw.where,
      filter: raw.filter,
      from: beginOf(raw, utc),
      to: raw.to === undefined ? undefined : momentOf(raw.to, '--to', utc),
      showSecrets: raw.showSecrets === true,
      follow: raw.follow === true,
      bodies: raw.body === true,
      keyLog: keyLogOf(raw, paths),
    },
    make,
    quiet: raw.quiet === true,
    verbose: raw.verbose === true,
  };
}

/** @throws KsnoopError USAGE */
function shardOf({ shard, follow, write }: RawReadOptions, paths: readonly string[]): Shard | undefined {
  if (shard === undefined) return undefined;
  const [, index = '', of = ''] = /^(\d{1,6})\/(\d{1,6})$/.exec(shard) ?? [];
  if (of === '' || Number(index) >= Number(of)) {
    throw usage(
      `--shard takes INDEX/COUNT, not "${shard}".`,
      'Indexes begin at 0: --shard 0/4, 1/4, 2/4 and 3/4; in a Job: --shard $JOB_COMPLETION_INDEX/4',
    );
  }
  if (paths.includes('-') || follow === true)
    throw usage('--shard divides files: it has no meaning for stdin or --follow.');
  if (write !== undefined) throw usage('--shard divides what is analysed: it has no meaning with -w.');
  return { index: Number(index), of: Number(of) };
}

const FLOW_NUMBER = /^\d{1,10}$/;

/** `--follow 7` is the output stream=7; a text that is no number is a file, for `--follow FILE` is natural too. */
function withFollowed(
  paths: readonly string[],
  raw: RawReadOptions,
): { paths: readonly string[]; raw: RawReadOptions } {
  const { follow, hex, raw: isRaw, ...rest } = raw;
  const isFlow = typeof follow === 'string' && FLOW_NUMBER.test(follow);
  const form = hex === true ? '--hex' : '--raw';
  if (!isFlow && (hex === true || isRaw === true)) {
    throw usage(`${form} shows the bytes of one flow: it needs --follow FLOW.`, '-o flows shows the numbers of flows.');
  }
  if (!isFlow) {
    if (typeof follow !== 'string') return { paths, raw };
    return { paths: [follow, ...paths], raw: { ...rest, follow: true } };
  }
  if (hex === true && isRaw === true) throw usage('--hex and --raw exclude each other.');
  if (raw.write !== undefined) throw usage('-w writes a capture: --follow FLOW has no meaning with it.');
  if (raw.output !== undefined) throw usage('--follow FLOW is an output of its own: -o has no meaning with it.');
  const suffix = hex === true ? ',hex' : isRaw === true ? ',raw' : '';
  return { paths, raw: { ...rest, output: `stream=${follow}${suffix}` } };
}

function beginOf({ from, since }: RawReadOptions, utc: boolean): Moment | undefined {
  if (from !== undefined && since !== undefined) throw usage('--from and --since exclude each other.');
  if (since !== undefined) return sinceOf(since, utc);
  return from === undefined ? undefined : momentOf(from, '--from', utc);
}

function lines(raw: RawReadOptions, { stdout }: Terminals): ReadLines {
  const { name, argument } = chosenOutput(raw.output ?? 'text', raw.format);
  const output = analysisOutput(name);
  if (output === undefined) {
    const hint =
      formatNamed(name) === undefined ? `There are: ${ANALYSIS_OUTPUT_NAMES.join(', ')}.` : `Name the file: -w FILE`;
    throw usage(`There is no output "${name}".`, hint);
  }
  checkArgument(output, argument, raw.json);
  checkBytesShown({ name, argument }, raw.showSecrets);
  if (raw.body === true && !WITH_BODIES.has(name)) {
    throw usage(`The ${name} output shows no bodies: --body goes with text, json, har, stream and templates.`);
  }
  checkReport(raw, output.name);
  checkPage(output.name, stdout);
  if (raw.snaplen !== undefined) throw usage('-s cuts packets that are written: it needs -w.');
  if (raw.json === true && !output.json) {
    throw usage(
      `The ${name} output has no JSON form.`,
      'summary, findings, flows, trace, map and packets have one; -o json has everything.',
    );
  }
  if (raw.failOn !== undefined && name !== 'findings')
    throw usage('--fail-on looks at findings: it needs -o findings.');
  return {
    kind: 'lines',
    output: raw.report === undefined ? output : withReport(output, { path: raw.report, force: raw.force === true }),
    argument,
    json: raw.json === true,
    utc: raw.utc === true,
    verbose: raw.verbose === true,
    failOn: raw.failOn,
  };
}

/** @throws KsnoopError USAGE */
function keyLogOf({ keylog, keys, write }: RawReadOptions, paths: readonly string[]): string | undefined {
  if (keylog === '') throw usage('--keylog takes the name of a file, or - for stdin.');
  if (keylog === '-' && paths.includes('-'))
    throw usage('Only one of the capture and the key log can come from stdin.');
  if (keys === false && write === undefined)
    throw usage('--no-keys leaves secrets out of a capture that is written: it needs -w.');
  if (keylog !== undefined && write !== undefined && paths.includes('-')) {
    throw usage('-w with --keylog reads the capture twice, so it needs a file.', 'Write the capture to a file first.');
  }
  return keylog;
}

function capture(path: string, raw: RawReadOptions, { stdout }: Terminals): ReadCapture {
  if (raw.body === true) throw usage('-w writes a capture: --body has no meaning with it.');
  if (raw.report !== undefined) throw usage('-w writes a capture: --report has no meaning with it.');
  if (path === '') throw usage('-w takes the name of a file, or - for stdout.');
  if (path === '-' && stdout) throw usage('A capture is binary and stdout is a terminal.', 'Name a file: -w FILE');
  const format = raw.output === undefined ? formatOf(path) : formatNamed(raw.output);
  if (format === undefined) {
    const names = FORMATS.map(({ name }) => name).join(', ');
    throw usage(`-w writes a capture, and "${raw.output}" is no format of captures.`, `There are: ${names}.`);
  }
  if (raw.json === true) throw usage('-w writes a capture: --json has no meaning with it.');
  const target = path === '-' ? ({ kind: 'stdout' } as const) : ({ kind: 'file', path } as const);
  return {
    kind: 'capture',
    conversion: {
      format,
      target,
      snaplen: snaplenOf(raw.snaplen),
      force: raw.force === true,
      withoutKeys: raw.keys === false,
    },
  };
}
