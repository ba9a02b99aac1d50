import type { AnalysisSession } from '../../analyze/engine/session.ts';
import { counted, grouped } from '../../view/units.ts';
import { edgeNotes } from './edge-notes.ts';

/** What is missing in an analysis, and what its limits cost: a line each, for people. */
export function analysisNotes(session: AnalysisSession): string[] {
  const { capture, names, where, outputNotes, unmatched, keys } = session;
  const { analysis, fragments } = capture;
  const { evicted, gaps, otherHosts } = analysis.bounds;
  const lines: string[] = [];
  const withoutMatch = where?.note?.();
  if (withoutMatch !== undefined) lines.push(withoutMatch);
  lines.push(...outputNotes);
  if (keys.size > 0) lines.push(`${counted(keys.decrypted, 'TLS connection')} decrypted with their keys`);
  lines.push(...edgeNotes(session));
  if (analysis.copies > 0) {
    lines.push(`${counted(analysis.copies, 'duplicate packet')} (captured at more than one place) counted once`);
  }
  if (gaps > 0) lines.push(`${counted(gaps, 'gap')} in TCP streams: bytes that were not captured`);
  if (unmatched > 0)
    lines.push(
      `${counted(unmatched, 'response')} not matched to a request: responses and requests are counted separately`,
    );
  if (fragments.incomplete > 0) {
    const evictions = fragments.evicted > 0 ? ` (${grouped(fragments.evicted)} evicted by the fragment limit)` : '';
    lines.push(`${counted(fragments.incomplete, 'IP datagram')} not reassembled: fragments are missing${evictions}`);
  }
  if (evicted > 0) lines.push(`${counted(evicted, 'flow')} evicted by the flow limit before the end`);
  if (otherHosts > 0) lines.push('address limit reached: further addresses are counted as one');
  if (names.disputed.size > 0) {
    const [first = ''] = names.disputed;
    const which =
      names.disputed.size === 1 ? `${first} is` : `${grouped(names.disputed.size)} addresses (${first}, …) are`;
    lines.push(`${which} used by another pod than the cluster names: the cluster's name is shown`);
  }
  if (names.forgotten > 0) lines.push(`name limit reached: ${counted(names.forgotten, 'name')} of addresses forgotten`);
  return lines;
}
