import type { AnalysisSession } from '../../analyze/engine/session.ts';
import { counted } from '../../view/units.ts';

/** What an analysis could not put together, and what its bounds cost: a line each, for people. */
export function analysisNotes({ capture, names }: AnalysisSession): string[] {
  const { analysis, fragments } = capture;
  const { evicted, gaps, otherHosts } = analysis.bounds;
  const were = (count: number, what: string) => `${counted(count, what)} ${count === 1 ? 'was' : 'were'}`;
  const lines: string[] = [];
  if (analysis.copies > 0) lines.push(`${were(analysis.copies, 'packet')} seen at more than one interface`);
  if (gaps > 0) lines.push(`${counted(gaps, 'gap')} in TCP streams: octets that were not captured`);
  if (fragments.incomplete > 0) {
    const evictions = fragments.evicted > 0 ? `, of ${fragments.evicted} for there were too many at once` : '';
    lines.push(`${were(fragments.incomplete, 'IP datagram')} not put together: fragments were missing${evictions}`);
  }
  if (evicted > 0) lines.push(`${counted(evicted, 'flow')} ended early: there were too many at once`);
  if (otherHosts > 0) lines.push('there were too many addresses: some are counted as one');
  if (names.forgotten > 0) lines.push(`${were(names.forgotten, 'name')} of addresses forgotten: there were too many`);
  return lines;
}
