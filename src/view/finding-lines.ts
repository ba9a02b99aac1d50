import type { Finding } from '../analyze/findings/finding.ts';
import type { Colours } from './colour.ts';
import { wrapped } from './help-text.ts';
import { shellWord } from './http/curl.ts';
import { sanitise } from './sanitise.ts';
import { clockText } from './time-text.ts';

export interface FindingStyle {
  readonly colours: Colours;
  readonly utc: boolean;
  /** Cells of a line; undefined for any number. */
  readonly width: number | undefined;
  /** RFC 3339 of a time in ns since the first packet. */
  timeText(time: number): string;
  /** Files that have the packets; undefined where none is known. */
  readonly paths?: readonly string[] | undefined;
  /** The key log that they were decrypted with. */
  readonly keyLog?: string | undefined;
}

/** Evidence, next step and doubt stand below their sentence. */
const INDENT = '    ';

/** A finding in one line: `ERROR (likely) web.shop does not answer: … [CONNECT_TIMEOUT]`. */
export function findingHead({ severity, confidence, code, message, sample }: Finding, colours: Colours): string {
  const label = severity === 'error' ? colours.failure('ERROR') : severity === 'warning' ? 'WARNING' : 'INFO';
  const doubts = [...(confidence === 'proven' ? [] : [confidence]), ...(sample === true ? ['sample'] : [])];
  const sure = doubts.length === 0 ? '' : ` (${doubts.join(', ')})`;
  return `${label}${sure} ${sanitise(message)} ${colours.aside(`[${code}]`)}`;
}

/** Files that a command names; with more it names none. */
const PATHS_SHOWN = 4;

/**
 * `ksnoop read incident.pcapng`; FILE where no file is known, or too many.
 * @param paths `-` for stdin
 * @param keyLog the file with the secrets of TLS connections without which the capture does not show the same
 */
export function readCommand(paths: readonly string[] | undefined, keyLog?: string | undefined): string {
  return `ksnoop read ${filesText(paths, keyLog)}`;
}

/**
 * A finding's next step: the commands in it that read a file name it.
 * @param paths, keyLog as readCommand has them
 */
export function nextText(next: string, paths: readonly string[] | undefined, keyLog?: string | undefined): string {
  const files = filesText(paths, keyLog);
  return next.replace(/\bksnoop trace FILE\b/g, () => `ksnoop trace ${files}`);
}

function filesText(paths: readonly string[] | undefined, keyLog: string | undefined): string {
  const isKnown = paths !== undefined && paths.length > 0 && paths.length <= PATHS_SHOWN && !paths.includes('-');
  const keys =
    keyLog === undefined
      ? ''
      : ` --keylog ${keyLog === '-' || keyLog.startsWith('exec:') ? 'KEYS' : shellWord(keyLog)}`;
  return `${isKnown ? paths.map(shellWord).join(' ') : 'FILE'}${keys}`;
}

/** A finding for people: its sentence, what it rests on, what to do, what else it may be. */
export function findingLines(
  finding: Finding,
  { colours, utc, width, timeText, paths, keyLog }: FindingStyle,
): string[] {
  const read = readCommand(paths, keyLog);
  const { evidence, next, otherwise } = finding;
  const lines = [findingHead(finding, colours)];
  const below = (text: string) => {
    const room = width === undefined ? undefined : Math.max(40, width - INDENT.length);
    const cut = room === undefined ? [sanitise(text)] : wrapped(sanitise(text), room);
    lines.push(...cut.map((line) => INDENT + line));
  };
  for (const { text, flows, times, where, filter } of evidence) {
    const when =
      times === undefined
        ? ''
        : times[0] === times[1]
          ? ` at ${clockText(timeText(times[0]), utc)}`
          : ` from ${clockText(timeText(times[0]), utc)} to ${clockText(timeText(times[1]), utc)}`;
    const which = flows.length === 0 ? '' : `, flow${flows.length === 1 ? '' : 's'} ${flows.join(', ')}`;
    below(`Seen: ${text}${when}${which}`);
    if (where !== undefined) below(`Show: ${read} --where ${shellWord(where)}`);
    if (filter !== undefined) below(`      ${read} -f ${shellWord(filter)} -o packets`);
  }
  below(`Next: ${nextText(next, paths, keyLog)}`);
  if (otherwise !== undefined) below(`Or:   ${otherwise}`);
  return lines;
}

/** Findings shown above the tables of a summary. */
const HEADS_SHOWN = 5;

/** The sentences of the worst findings under a heading; nothing where there are none but information. */
export function findingHeads(
  findings: readonly Finding[],
  { colours, width }: Pick<FindingStyle, 'colours' | 'width'>,
): string[] {
  const worth = findings.filter(({ severity }) => severity !== 'information');
  if (worth.length === 0) return [];
  const heads = worth.slice(0, HEADS_SHOWN).flatMap((finding) => {
    const head = findingHead(finding, colours);
    return width === undefined ? [head] : wrapped(head, width);
  });
  const more = worth.length - HEADS_SHOWN;
  const rest = `${more > 0 ? `${more} more; ` : ''}-o findings shows the evidence and what to do next`;
  return ['', colours.heading('Findings'), ...heads, colours.aside(rest)];
}
