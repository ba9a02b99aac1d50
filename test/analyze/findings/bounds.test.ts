import { expect, test } from 'vitest';
import { FINDING_SUBJECTS } from '../../../src/analyze/limits.ts';
import { findings } from '../../../src/run/analysis/findings.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { builtPcap } from '../../support/built-capture.ts';

/** What the output says it left out, of a capture with connections to so many ports that are refused. */
function noteOf(servers: number): string {
  const segments = Array.from(
    { length: servers },
    (_, index) =>
      [
        { side: 0, sequence: 5000, flags: 'S', at: index, ports: [40_000, 1000 + index] },
        { side: 1, sequence: 0, acknowledgment: 5001, flags: 'R.', at: index + 0.5, ports: [40_000, 1000 + index] },
      ] as const,
  ).flat();
  return analysisLines(findings, builtPcap(segments)).session.outputNotes.join();
}

test('more servers than are judged are reported, not left out in silence', () => {
  expect(noteOf(10)).toBe('');
  expect(noteOf(FINDING_SUBJECTS + 1)).toContain('more than 1,024 servers or clients');
});
