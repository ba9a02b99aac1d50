import type { AnalysisSession } from '../../analyze/engine/session.ts';
import { counted, grouped } from '../../view/units.ts';

/** What is missing where packets were analysed on their nodes (--edge): a line each, for people. */
export function edgeNotes({ capture, showsPackets, sample }: AnalysisSession): string[] {
  const { found, foundTotals, framer } = capture;
  if (!found.isUsed) return [];
  const { packets, opaque, skipped, tooLong } = foundTotals;
  const lines: string[] = [];
  if (skipped > 0) {
    const since =
      sample === undefined
        ? ''
        : sample.until === undefined
          ? ` since ${sample.since}`
          : ` from ${sample.since} to ${sample.until}`;
    lines.push(
      `A SAMPLE: agents analysed ${grouped(packets)} packets and could not keep up with ${grouped(skipped)} more${since}; those connections are in no count`,
    );
  }
  if (framer.packets > 0) {
    lines.push(`${counted(framer.packets, 'packet')} came here: agents of an earlier version do not analyse them`);
  }
  if (showsPackets && opaque > 0) {
    lines.push(`${counted(opaque, 'packet')} not decoded and not shown: with --edge packets stay on their nodes`);
  }
  if (found.lost > 0) lines.push(`${counted(found.lost, 'flow')} without an end: their agent was lost`);
  if (found.forgotten > 0) lines.push(`${counted(found.forgotten, 'flow')} forgotten by the flow limit`);
  const left = found.misunderstood + tooLong;
  if (left > 0) lines.push(`${counted(left, 'record')} of agents left out: not understood, or too long`);
  return lines;
}
