// What agents that could not keep up found is marked in tables and lines, too.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analysisOutput } from '../../src/run/analysis/index.ts';
import { agentStream, analysedStream, shownOf } from './agent-stream.ts';

const CAPTURE = join(import.meta.dirname, '../analyze/flow/captures/both-ends-of-a-service.pcapng');
const BEHIND = 20 * 1024 * 1024;
const TIMEOUT = 120_000;

/** Lines of an output. @param waiting bytes that the analysis always has before it */
async function shown(name: string, waiting: number): Promise<string[]> {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  const stream = agentStream(readFileSync(CAPTURE));
  return shownOf(kind, [analysedStream(stream, kind, 65_536, waiting)]).filter((line) => !line.startsWith('#'));
}

test('a table of a sample has a column with its share', { timeout: TIMEOUT }, async () => {
  const [header = '', ...rows] = await shown('csv', BEHIND);
  expect(header).toMatch(/,sample\.share$/);
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row).toMatch(/,0\.\d+$/);
  expect((await shown('csv', 0))[0]).not.toMatch(/sample/);
});

test('lines of a sample end with a mark', { timeout: TIMEOUT }, async () => {
  expect((await shown('text', BEHIND)).some((line) => line.endsWith(' [sample: 1 of 2 connections]'))).toBe(true);
  expect((await shown('text', 0)).some((line) => /sample/.test(line))).toBe(false);
});
