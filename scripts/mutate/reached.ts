import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withRunners } from './runners.ts';

/** What one test file does without any change. */
export interface Baseline {
  readonly test: string;
  /** Milliseconds. */
  readonly took: number;
  /** Whether it reaches the change of this number. */
  reaches(id: number): boolean;
}

interface Known {
  readonly passed: boolean;
  readonly took: number;
}

export interface BaselineOptions {
  /** The copy, in which the files of the changes write down what is reached. */
  readonly copy: string;
  /** Where the results of these sources are; they count for test files that are the same. */
  readonly kept: string;
  /** Test files, relative to the copy. */
  readonly tests: readonly string[];
  /** How many changes there are. */
  readonly changes: number;
  /** How many test files run at a time. */
  readonly workers: number;
  readonly print: (line: string) => void;
}

/**
 * Runs every test file once without any change, those that are known excepted.
 * @returns the tests that pass
 */
export async function baselines(options: BaselineOptions): Promise<Baseline[]> {
  const { copy, kept, tests, changes, workers, print } = options;
  mkdirSync(kept, { recursive: true });
  const placeOf = (test: string) => {
    const content = createHash('sha1')
      .update(readFileSync(join(copy, test)))
      .digest('hex')
      .slice(0, 12);
    return join(kept, `${test.replaceAll('/', '_')}-${content}`);
  };
  const missing = tests.filter((test) => !existsSync(`${placeOf(test)}.json`));
  let done = 0;
  await withRunners(copy, workers, missing, async (test, run) => {
    const place = placeOf(test);
    rmSync(`${place}.bits`, { force: true });
    const answer = await run({ switches: { mutant: -1, changes, hits: `${place}.bits` }, test }, 600_000);
    const known: Known = { passed: answer?.passed === true && existsSync(`${place}.bits`), took: answer?.took ?? 0 };
    writeFileSync(`${place}.json`, JSON.stringify(known));
    done += 1;
    print(`     reached ${done}/${missing.length} ${test}${known.passed ? '' : ': fails without any change'}`);
  });
  return tests.flatMap((test) => {
    const place = placeOf(test);
    const { passed, took } = JSON.parse(readFileSync(`${place}.json`, 'utf8')) as Known;
    if (!passed) return [];
    const bits = readFileSync(`${place}.bits`);
    return [{ test, took, reaches: (id: number) => ((bits[id >> 3] ?? 0) & (1 << (id & 7))) !== 0 }];
  });
}
