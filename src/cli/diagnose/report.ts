import type { Finding } from '../../analyze/findings/finding.ts';
import { findingsJson, findingsText } from '../../run/analysis/findings-report.ts';
import type { Diagnosis } from '../../run/diagnose/diagnosis.ts';
import { Colours, wantsColour } from '../../view/colour.ts';
import type { DiagnoseCommand } from './options.ts';

/** Targets that the report names; more are counted. */
const TARGETS_SHOWN = 4;

/** What a capture looked at. */
export interface Captured {
  /** Labels of the targets. */
  readonly targets: readonly string[];
  readonly elapsedMs: number;
}

/** Print the findings on stdout, and what was looked at. @param captured undefined where nothing was */
export function printReport(
  { live, namespaces, unread }: Diagnosis,
  findings: readonly Finding[],
  captured: Captured | undefined,
  { json, utc, packets }: DiagnoseCommand,
): void {
  const { targets = [], elapsedMs = 0 } = captured ?? {};
  const looked = { ...live.looked, duration: Math.round(elapsedMs * 1e6) };
  const timeText = (time: number) => live.timeText(time);
  if (json) {
    const more = { targets, namespaces, unread };
    process.stdout.write(`${findingsJson(findings, looked, timeText, more)}\n`);
    return;
  }
  const style = {
    colours: new Colours(wantsColour(process.stdout, process.env)),
    utc,
    width: process.stdout.isTTY === true ? process.stdout.columns : undefined,
    timeText,
    paths: keptPaths(packets),
  };
  const lines = findingsText(findings, looked, style, lookedAt(targets, namespaces, unread.length > 0));
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** The file that keeps the packets; undefined where none does, or several do. */
export function keptPaths(packets: DiagnoseCommand['packets']): readonly string[] | undefined {
  return packets?.sink.kind === 'file' && packets.rotation === undefined ? [packets.sink.path] : undefined;
}

/** `at shop/web-1, shop/web-2; objects of namespace shop`. @param isPartial some objects could not be read */
function lookedAt(captured: readonly string[], namespaces: readonly string[], isPartial: boolean): string {
  const shown = captured.slice(0, TARGETS_SHOWN).join(', ');
  const more = captured.length > TARGETS_SHOWN ? ` and ${captured.length - TARGETS_SHOWN} more` : '';
  const targets = captured.length === 0 ? 'no target captured' : `at ${shown}${more}`;
  if (namespaces.length === 0) return `${targets}; no objects of the cluster were read`;
  const part = isPartial ? ', in part (see the warnings)' : '';
  return `${targets}; objects of namespace ${namespaces.join(', ')}${part}`;
}
