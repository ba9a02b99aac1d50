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

test('responses that may answer several requests are counted in a note', () => {
  const request = 'GET /a HTTP/1.1\r\nHost: shop\r\n\r\n';
  const response = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const asked = 1_000 + 2 * request.length;
  const midstream: BuiltSegment[] = [
    { side: 0, sequence: 1_000, acknowledgment: 500, payload: request + request, flags: 'P.', at: 0 },
    { side: 1, sequence: 500, acknowledgment: asked, payload: response, flags: 'P.', at: 1 },
  ];
  const { session, lines } = analysisLines(text, builtPcap(midstream));
  expect(lines.join('\n')).toContain('(request unknown) 200');
  expect(analysisNotes(session)).toContain(
    '1 response not matched to a request: responses and requests are counted separately',
  );
});
