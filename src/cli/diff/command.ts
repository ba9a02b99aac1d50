import { compared, type Side } from '../../analyze/diff/compare.ts';
import { type DiffReport, isWorse } from '../../analyze/diff/difference.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import { analysisNotes } from '../../run/analysis/notes.ts';
import { Collected } from '../../run/diff/collect.ts';
import { readLines } from '../../run/reading/lines.ts';
import { Colours, wantsColour } from '../../view/colour.ts';
import { diffLines } from '../../view/diff-lines.ts';
import { jsonLine } from '../../view/json-line.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { nearest } from '../../wire/near.ts';
import { type Logger, logger } from '../logger.ts';
import { onStopSignals } from '../signals.ts';
import { usage } from '../usage.ts';

/** Pods that an error lists. */
const PODS_SHOWN = 10;

/** What commander hands over for `ksnoop diff`, before it is believed. */
export interface RawDiffOptions {
  readonly by?: string;
  readonly json?: boolean;
  readonly where?: string;
  readonly showSecrets?: boolean;
  readonly failOn?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Two captures, or a capture and two of its pods. */
type Compared =
  | { readonly kind: 'files'; readonly names: readonly [string, string] }
  | { readonly kind: 'pods'; readonly file: string; readonly names: readonly [string, string] };

/** `ksnoop diff A B`: everything between the command line and the exit code. */
export async function diffCommand(words: readonly string[], raw: RawDiffOptions): Promise<ExitCode> {
  const what = completeDiff(words, raw);
  const log = logger({ quiet: raw.quiet === true, verbose: raw.verbose === true });
  const abort = new AbortController();
  const release = onStopSignals(() => abort.abort());
  try {
    const read = { raw, log, signal: abort.signal, stopped: false };
    const [a, b] = await sidesOf(what, read);
    if (a === undefined || b === undefined) return EXIT.failed;
    const report = compared(a, b);
    print(report, what, raw);
    if (read.stopped) return EXIT.truncated;
    return isFailing(report, raw.failOn) ? EXIT.found : EXIT.done;
  } finally {
    release();
  }
}

/** @throws KsnoopError USAGE (exit 2) */
export function completeDiff(words: readonly string[], { by, failOn }: RawDiffOptions): Compared {
  if (failOn !== undefined && failOn !== 'worse' && failOn !== 'any') {
    throw usage(`--fail-on takes worse or any, not "${failOn}".`);
  }
  const [first = '', second = '', third = ''] = words;
  if (by === undefined) {
    if (words.length !== 2) throw usage('ksnoop diff compares two captures.', 'ksnoop diff before.pcapng after.pcapng');
    if (words.includes('-')) throw usage('ksnoop diff reads files, not stdin.', 'Write the capture to a file first.');
    return { kind: 'files', names: [first, second] };
  }
  if (by !== 'pod') throw usage(`--by takes pod, not "${by}".`);
  const example = 'ksnoop diff web.pcapng shop/web-1 shop/web-2 --by pod';
  if (words.length !== 3) throw usage('--by pod takes a capture and two pods.', example);
  for (const pod of [second, third]) {
    if (!/^[^/]+\/[^/]+$/.test(pod)) throw usage(`"${pod}" is not NAMESPACE/POD.`, example);
  }
  return { kind: 'pods', file: first, names: [second, third] };
}

interface Reading {
  readonly raw: RawDiffOptions;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** A file is damaged or ends early. */
  stopped: boolean;
}

async function sidesOf(what: Compared, reading: Reading): Promise<readonly (Side | undefined)[]> {
  if (what.kind === 'pods') return collected(what.file, what.names, reading);
  const sides: (Side | undefined)[] = [];
  for (const file of what.names) sides.push(...(await collected(file, [undefined], reading)));
  return sides;
}

/** @throws KsnoopError as readLines; NO_SUCH_POD where the capture does not name one of the pods */
async function collected(
  file: string,
  pods: readonly (string | undefined)[],
  reading: Reading,
): Promise<readonly Side[]> {
  const { raw, log, signal } = reading;
  const both = new Collected(pods);
  const form = { output: both.form, json: false, utc: false, verbose: false, live: false, colour: false, align: false };
  const config = {
    paths: [file],
    where: raw.where,
    filter: undefined,
    from: undefined,
    to: undefined,
    showSecrets: raw.showSecrets === true,
    follow: false,
  };
  const result = await readLines(config, { ...form, width: undefined, descriptor: 1 }, signal, { note: log.warn });
  for (const line of result.stopped) log.warn(line);
  for (const line of analysisNotes(result.session)) log.info(`${file}: ${line}`);
  if (result.stopped.length > 0) reading.stopped = true;
  if (result.aborted) return [];
  for (const pod of pods) if (pod !== undefined) requirePod(pod, both.pods(), file);
  const sides = both.sides();
  for (const [index, pod] of pods.entries()) {
    const { exchanges = 0, connections = 0 } = sides[index]?.totals ?? {};
    if (pod !== undefined && exchanges + connections === 0)
      log.warn(`${file} has no requests or connections to ${pod}`);
  }
  return sides;
}

/** @throws KsnoopError NO_SUCH_POD, with the nearest names, or some of the pods there are */
export function requirePod(pod: string, known: readonly string[], file: string): void {
  if (known.includes(pod)) return;
  const near = nearest(pod, known);
  const some = [...known].sort().slice(0, PODS_SHOWN);
  const more = known.length > some.length ? `, and ${known.length - some.length} more` : '';
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(' or ')}?`
      : some.length > 0
        ? `Its pods: ${some.join(', ')}${more}.`
        : 'It names no pods: captures that ksnoop writes do.';
  throw new KsnoopError('NO_SUCH_POD', `${file} has no pod ${pod}.`, { hint });
}

function print(report: DiffReport, { names }: Compared, { json }: RawDiffOptions): void {
  if (json === true) {
    const [nameA, nameB] = names;
    const { a, b, differences, untimed, appeared, resolved } = report;
    const found = { appeared: appeared.map(brief), resolved: resolved.map(brief) };
    const document = {
      v: 1,
      kind: 'diff',
      a: { name: nameA, ...a },
      b: { name: nameB, ...b },
      differences,
      untimed,
      ...found,
    };
    process.stdout.write(`${jsonLine(document)}\n`);
    return;
  }
  const colours = new Colours(wantsColour(process.stdout, process.env));
  const width = process.stdout.isTTY === true ? process.stdout.columns : undefined;
  process.stdout.write(`${diffLines(report, { colours, width, names }).join('\n')}\n`);
}

/** A finding without its evidence, whose times and flows are of one capture. */
function brief({ code, severity, confidence, subject, message, cases, attempts }: Finding) {
  return { code, severity, confidence, subject, message, cases, attempts };
}

function isFailing(report: DiffReport, failOn: string | undefined): boolean {
  if (failOn === 'worse') return isWorse(report);
  const { differences, appeared, resolved } = report;
  return failOn === 'any' && differences.length + appeared.length + resolved.length > 0;
}
