import { expect, test } from 'vitest';
import { analysisNotes } from '../../../src/run/analysis/notes.ts';
import { text } from '../../../src/run/analysis/text.ts';
import { whereExpression } from '../../../src/run/where.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { type BuiltSegment, builtPcap } from '../../support/built-capture.ts';

/** A SYN that is sent again and never answered. */
const SYNS = builtPcap([0, 1000, 3000].map((at): BuiltSegment => ({ side: 0, sequence: 1000, flags: 'S', at })));

test('a list of requests ends with retransmissions and findings', () => {
  const notes = analysisNotes(analysisLines(text, SYNS).session);
  expect(notes).toEqual([
    '2 TCP retransmissions',
    'ERROR (likely) 10.0.0.2:80 does not answer: the only connection got no response to the SYN. [CONNECT_TIMEOUT]',
    '-o findings shows the evidence and what to do next',
  ]);
});

test('of events that an expression chooses there are no findings', async () => {
  const where = await whereExpression('failed');
  const notes = analysisNotes(analysisLines(text, SYNS, {}, where?.condition).session);
  expect(notes.join('\n')).not.toContain('CONNECT_TIMEOUT');
});
