import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import { analysisOutput } from '../../../src/run/analysis/index.ts';
import { packetSelection } from '../../../src/run/convert/selection.ts';
import { mergedLines } from '../../../src/run/merge/form.ts';
import { mergeStates } from '../../../src/run/merge/merge.ts';
import type { MergeOutput } from '../../../src/run/merge/outputs.ts';
import { plainSettings } from '../../support/analysis-session.ts';

const CAPTURE = readFileSync(join(import.meta.dirname, '../analysis/captures/wrong-service.pcapng'));
const PARTS = ['tcp and (tcp[0:2] + tcp[2:2]) % 3 = 0', 'tcp and (tcp[0:2] + tcp[2:2]) % 3 > 0', 'not tcp'];

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-merge-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** What an output makes of the packets that pass a filter. */
async function analysed(
  name: string,
  { json = false, filter, argument }: { json?: boolean; filter?: string; argument?: string },
) {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  const lines: string[] = [];
  const choice = packetSelection({ filter, from: undefined, to: undefined });
  const session = new AnalysisSession(
    kind,
    plainSettings({ line: (line) => void lines.push(line), json, choice, argument }),
  );
  session.push(CAPTURE);
  session.end();
  return lines;
}

function merged(words: readonly string[]) {
  return mergeStates(words, new AbortController().signal);
}

function form(output: MergeOutput, { json = false, argument }: { json?: boolean; argument?: string } = {}) {
  return { output, json, argument, colour: false, width: undefined };
}

it('adds up what parts of a capture have saved to what one reading of all reports', async () => {
  const files = PARTS.map((_, index) => join(directory, `part-${index}.json`));
  for (const [index, filter] of PARTS.entries()) {
    await analysed('summary-state', { filter, argument: files[index] ?? '' });
  }
  const { files: count, ...sums } = await merged([directory]);
  expect(count).toBe(PARTS.length);
  expect(mergedLines(sums, form('json'))).toEqual(await analysed('summary', { json: true }));
  expect(mergedLines(sums, form('csv', { argument: 'routes' }))).toEqual(await analysed('csv', { argument: 'routes' }));
  expect(mergedLines(sums, form('map'))).toEqual(await analysed('map', {}));
  expect(mergedLines(sums, form('map', { json: true }))).toEqual(await analysed('map', { json: true }));
  expect(mergedLines(sums, form('summary')).join('\n')).toContain('web.shop  HTTP         33');
  // A sum is saved as its parts are, compressed or not.
  const sum = join(directory, 'sum.json.gz');
  writeFileSync(sum, gzipSync(mergedLines(sums, form('summary-state')).join('\n')));
  const again = await merged([sum]);
  expect(mergedLines(again, form('json'))).toEqual(mergedLines(sums, form('json')));
});

it('counts a file once that is there as a copy, a link or compressed', async () => {
  const place = mkdtempSync(join(directory, 'copies-'));
  const file = join(place, 'a.json');
  await analysed('summary-state', { filter: 'tcp', argument: file });
  const alone = await merged([file]);
  expect(alone.copies).toEqual([]);
  copyFileSync(file, join(place, 'b.json'));
  symlinkSync(file, join(place, 'c.json'));
  writeFileSync(join(place, 'd.json.gz'), gzipSync(readFileSync(file)));
  const all = await merged([place]);
  expect(all.copies).toHaveLength(3);
  expect(all.copies[0]).toBe(`${join(place, 'b.json')} has the same content as ${file}: it is counted once.`);
  expect(mergedLines(all, form('json'))).toEqual(mergedLines(alone, form('json')));
});

it('names the file that is no saved summary', async () => {
  const file = join(directory, 'other.json');
  for (const text of ['{"kind":"summary"}', '{', '', '[]', '{"kind":"summary-state","v":9}']) {
    writeFileSync(file, text);
    await expect(merged([file])).rejects.toMatchObject({
      code: 'DAMAGED_STATE',
      message: expect.stringContaining(file),
    });
  }
  // Larger than any saved summary: it is not read to its end.
  writeFileSync(file, '');
  truncateSync(file, 2 ** 40);
  await expect(merged([file])).rejects.toMatchObject({
    code: 'DAMAGED_STATE',
    message: expect.stringContaining('larger than'),
  });
  writeFileSync(file, `[${'{},'.repeat(3_000_000)}{}]`);
  await expect(merged([file])).rejects.toMatchObject({ message: expect.stringContaining('objects and lists') });
  await expect(merged([join(directory, 'none.json')])).rejects.toMatchObject({ code: 'NO_FILE' });
});

it('ends when it is interrupted', async () => {
  const abort = new AbortController();
  abort.abort();
  const file = join(directory, 'interrupted.json');
  writeFileSync(file, '{}');
  await expect(mergeStates([file], abort.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
