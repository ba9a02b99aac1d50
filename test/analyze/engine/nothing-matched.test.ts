import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analysisNotes } from '../../../src/run/analysis/notes.ts';
import { packets } from '../../../src/run/analysis/packets.ts';
import { text } from '../../../src/run/analysis/text.ts';
import { whereExpression } from '../../../src/run/where.ts';
import { analysed } from '../../support/analysis-session.ts';

const capture = readFileSync(join(import.meta.dirname, '../protocols/captures/http2.pcap'));

test('only what an output shows counts as matched: a line per packet knows no requests', async () => {
  const condition = async () => (await whereExpression('protocol == "http"'))?.condition;
  const shown = analysed(packets, capture, { where: await condition() });
  expect(shown.lines).toEqual([]);
  expect(analysisNotes(shown.session)).toContain('--where: 0 of 75 records matched; protocol here: tcp');
  const requests = analysed(text, capture, { where: await condition() });
  expect(requests.lines.length).toBeGreaterThan(1);
  expect(analysisNotes(requests.session).join()).not.toContain('records matched');
});
