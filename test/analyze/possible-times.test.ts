import { expect, test } from 'vitest';
import { analyseFile } from '../support/analysis.ts';
import { everyCapture } from '../support/captures.ts';
import { impossibleTimes } from './possible-times.ts';

test('no time of any capture at hand is negative or impossible', async () => {
  const problems: string[] = [];
  let events = 0;
  for (const path of everyCapture()) {
    const analysed = await analyseFile(path);
    events += analysed.events.length;
    problems.push(...impossibleTimes(analysed).map((problem) => `${path}: ${problem}`));
  }
  expect(problems).toEqual([]);
  // The repository's own captures are always there.
  expect(events).toBeGreaterThan(1_000);
}, 300_000);
