import type { Finding } from '../../analyze/findings/finding.ts';
import { type FindingStyle, findingLines } from '../../view/finding-lines.ts';
import { jsonLine } from '../../view/json-line.ts';
import { sampleText } from '../../view/sample-text.ts';
import { counted, timeSpan } from '../../view/units.ts';
import type { Looked } from './found.ts';

/** Findings for people, a paragraph each. @param where what else was looked at, such as `at shop/web-1`; may be empty */
export function findingsText(list: readonly Finding[], looked: Looked, style: FindingStyle, where = ''): string[] {
  const { exchanges, connections, duration, sample } = looked;
  const note = sample === undefined ? [] : [sampleText(sample, style.utc)];
  const traffic = `${counted(exchanges, 'exchange')} and ${counted(connections, 'TCP connection')} in ${timeSpan(duration / 1e6)}`;
  const all = where === '' ? traffic : `${traffic}, ${where}`;
  if (list.length === 0) return [`Nothing found in ${all}.`, ...note];
  return [
    `${counted(list.length, 'finding')} in ${all}:`,
    ...note,
    ...list.flatMap((finding) => ['', ...findingLines(finding, style)]),
  ];
}

/**
 * Findings as one JSON document in a line.
 * @param timeText RFC 3339 of a time in ns since the first packet
 * @param more further members: what else was looked at
 */
export function findingsJson(
  list: readonly Finding[],
  looked: Looked,
  timeText: (time: number) => string,
  more: Readonly<Record<string, readonly string[]>> = {},
): string {
  const findings = list.map((finding) => findingRecord(finding, timeText));
  return jsonLine({ v: 1, kind: 'findings', ...looked, ...more, findings });
}

/** A finding as the JSON has it. @param timeText RFC 3339 of a time in ns since the first packet */
export function findingRecord(finding: Finding, timeText: (time: number) => string) {
  const evidence = finding.evidence.map(({ times, ...rest }) => ({ ...rest, times: times?.map(timeText) }));
  return { ...finding, evidence };
}
