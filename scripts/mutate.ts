/**
 * Changes one token at a time in a copy of the tree and runs the unit tests that reach it: which changes do they not notice?
 *   npm run mutate -- [--sample 200 | --each 10] [--seed 1] [--in src/wire,src/run] [--tests test/wire,test/run] [--workers 1]
 *     [--seconds 60] [--wait 25] [--again]
 * First every unit test runs once, which shows what it reaches. Then, for each change, the file's own test, those beside it,
 * those of its name elsewhere, and the quickest others, up to `seconds` of these. A change may make a test endless: one that takes
 * `wait` seconds more than ten times its usual time is ended. A run that was interrupted goes on where it was; with --again it begins anew.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, mutantsOf } from './mutate/mutants.ts';
import { type Baseline, baselines } from './mutate/reached.ts';
import { type RunTest, withRunners } from './mutate/runners.ts';
import { sample, testsOf } from './mutate/sample.ts';
import { withSwitches } from './mutate/switches.ts';

const root = join(import.meta.dirname, '..');
const print = (line: string) => void process.stdout.write(`${line}\n`);

/** By whom a change was noticed: the tests of the mirrored directory, others, or only by the time that a test took. */
type Verdict = 'beside' | 'elsewhere' | 'too slow' | 'survived' | 'not reached';

interface Numbered extends Mutant {
  readonly id: number;
}

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '200' },
    each: { type: 'string' },
    seed: { type: 'string', default: '1' },
    in: { type: 'string', default: 'src/analyze,src/wire,src/capture,src/run' },
    workers: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    wait: { type: 'string', default: '25' },
    tests: { type: 'string', default: 'test/' },
    again: { type: 'boolean', default: false },
  },
});
const git = (...words: string[]) =>
  execFileSync('git', words, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 })
    .trim()
    .split('\n');
const tracked = git('ls-files', '--cached', '--others', '--exclude-standard').filter((file) =>
  existsSync(join(root, file)),
);
const places = values.in.split(',');
const files = tracked.filter(
  (file) => places.some((place) => file.startsWith(place)) && file.endsWith('.ts') && !file.endsWith('.d.ts'),
);
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const all: Numbered[] = [];
const firstOf = new Map<string, number>();
for (const [file, source] of sources) {
  firstOf.set(file, all.length);
  for (const mutant of mutantsOf(file, source)) all.push({ ...mutant, id: all.length });
}
const seed = Number(values.seed);
const chosen =
  values.each === undefined
    ? sample(all, Number(values.sample), seed)
    : files.flatMap((file) =>
        sample(
          all.filter((mutant) => mutant.file === file),
          Number(values.each),
          seed,
        ),
      );

const hashOf = (...parts: unknown[]) => createHash('sha1').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
/** Results for exactly these sources. */
const kept = join(root, 'node_modules/.cache/ksnoop-mutate', hashOf(...sources));
if (values.again) rmSync(kept, { recursive: true, force: true });
mkdirSync(kept, { recursive: true });
/** Verdicts are of exactly these tests too: a new one may notice what survived. */
const testCode = tracked
  .filter((file) => file.startsWith('test/') && file.endsWith('.ts'))
  .map((file) => [file, readFileSync(join(root, file), 'utf8')]);
const state = join(kept, `verdicts-${hashOf(values.tests, values.seconds, ...testCode)}.jsonl`);
const known = new Map<number, Verdict>();
for (const line of existsSync(state) ? readFileSync(state, 'utf8').trim().split('\n') : []) {
  const outcome = JSON.parse(line) as { id: number; verdict: Verdict };
  known.set(outcome.id, outcome.verdict);
}

/** The copy. Its files are no links to ours: they are written. */
const copy = mkdtempSync(join(tmpdir(), 'ksnoop-mutate-'));
process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
for (const file of tracked) {
  mkdirSync(join(copy, dirname(file)), { recursive: true });
  cpSync(join(root, file), join(copy, file));
}
for (const name of ['node_modules', 'dist'])
  if (existsSync(join(root, name))) symlinkSync(join(root, name), join(copy, name));

function switchOn(has: (id: number) => boolean, hits: boolean): void {
  for (const [file, source] of sources) {
    const first = firstOf.get(file) ?? 0;
    const numberOf = (index: number) => (has(first + index) ? first + index : undefined);
    writeFileSync(join(copy, file), withSwitches(file, source, numberOf, hits));
  }
}

async function judge({ id, file }: Numbered, tests: readonly Baseline[], run: RunTest): Promise<Verdict> {
  const { own, beside } = testsOf(root, file);
  const isBeside = ({ test }: Baseline) => test === own || test.startsWith(beside);
  const reaching = tests.filter((test) => test.reaches(id));
  const isNamesake = ({ test }: Baseline) => basename(test) === basename(file).replace('.ts', '.test.ts');
  const rank = (test: Baseline) => (test.test === own ? 0 : isBeside(test) ? 1 : isNamesake(test) ? 2 : 3);
  reaching.sort((a, b) => rank(a) - rank(b) || a.took - b.took);
  let left = Number(values.seconds) * 1000;
  for (const test of reaching) {
    if (!isBeside(test)) left -= test.took;
    if (left < 0) break;
    const request = { switches: { mutant: id, changes: all.length, hits: undefined }, test: test.test };
    const answer = await run(request, Number(values.wait) * 1000 + test.took * 10);
    if (answer === undefined) return 'too slow';
    if (!answer.passed) return isBeside(test) ? 'beside' : 'elsewhere';
  }
  return reaching.length === 0 ? 'not reached' : 'survived';
}

const isSlow = (file: string) => /\.(?:host|cluster|fuzz)\.test\.ts$/.test(file);
const unitTests = tracked
  .filter((file) => values.tests.split(',').some((place) => file.startsWith(place)))
  .filter((file) => file.endsWith('.test.ts') && !isSlow(file));
const workers = Number(values.workers);
switchOn(() => true, true);
const tests = await baselines({
  copy,
  kept: join(kept, 'reached'),
  tests: unitTests,
  changes: all.length,
  workers,
  print,
});
const ids = new Set(chosen.map(({ id }) => id));
switchOn((id) => ids.has(id), false);

const outcomes: Verdict[] = [];
await withRunners(copy, workers, chosen, async (mutant, run) => {
  let verdict = known.get(mutant.id);
  if (verdict === undefined) {
    verdict = await judge(mutant, tests, run);
    appendFileSync(state, `${JSON.stringify({ id: mutant.id, verdict })}\n`);
  }
  outcomes.push(verdict);
  const { file, line, before, after } = mutant;
  const shown = after === ';' ? `without ${before}` : `${before} → ${after}`;
  print(`${String(outcomes.length).padStart(4)}/${chosen.length} ${verdict.padEnd(11)} ${file}:${line} ${shown}`);
});
const count = (...verdicts: Verdict[]) => outcomes.filter((verdict) => verdicts.includes(verdict)).length;
print(
  `${count('beside', 'elsewhere', 'too slow')} of ${outcomes.length} changes were noticed: ${count('beside')} by tests of the ` +
    `same directory, ${count('elsewhere')} by others, ${count('too slow')} as a test took too long; no test reaches ` +
    `${count('not reached')} (of ${all.length} that are possible; seed ${seed})`,
);
process.exit(0);
