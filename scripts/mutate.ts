/**
 * Changes one token at a time in a copy of the tree and runs the unit tests of the mirrored directory: which changes do they
 * not notice?
 *   npm run mutate -- [--sample 200] [--seed 1] [--in src/wire,src/run] [--seconds 300] [--again]
 * A run that was interrupted goes on where it was; with --again it begins anew.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { changed, type Mutant, mutantsOf } from './mutate/mutants.ts';
import { sample, testsOf } from './mutate/sample.ts';

const root = join(import.meta.dirname, '..');
const print = (line: string) => void process.stdout.write(`${line}\n`);

type Verdict = 'noticed' | 'survived' | 'too slow';

interface Outcome extends Mutant {
  readonly verdict: Verdict;
}

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    in: { type: 'string', default: 'src/analyze,src/wire,src/capture,src/run' },
    seconds: { type: 'string', default: '300' },
    again: { type: 'boolean', default: false },
  },
});
const places = values.in.split(',');
const git = (...words: string[]) => execFileSync('git', words, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
const files = git('ls-files', ...places)
  .split('\n')
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
const all = files.flatMap((file) => mutantsOf(file, readFileSync(join(root, file), 'utf8')));
const chosen = sample(all, Number(values.sample), Number(values.seed));

/** Outcomes of this seed and commit, a line each. */
const kept = join(root, 'node_modules/.cache/ksnoop-mutate');
mkdirSync(kept, { recursive: true });
const state = join(
  kept,
  `${git('rev-parse', '--short', 'HEAD').trim()}-${values.seed}-${places.join('+').replaceAll('/', '_')}.jsonl`,
);
if (values.again) rmSync(state, { force: true });
const known = new Map<string, Verdict>();
const idOf = ({ file, at, kind }: Mutant) => `${file}:${at}:${kind}`;
for (const line of existsSync(state) ? readFileSync(state, 'utf8').trim().split('\n') : []) {
  const outcome = JSON.parse(line) as Outcome;
  known.set(idOf(outcome), outcome.verdict);
}

/** The copy. Its files are no links to ours: they are written. */
const copy = mkdtempSync(join(tmpdir(), 'ksnoop-mutate-'));
/** The process group of the tests that run. */
let group: number | undefined;
process.once('exit', () => {
  if (group !== undefined) process.kill(-group, 'SIGKILL');
  rmSync(copy, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
git('checkout-index', '--all', `--prefix=${copy}/`);
for (const file of files) writeFileSync(join(copy, file), readFileSync(join(root, file)));
for (const name of ['node_modules', 'dist'])
  if (existsSync(join(root, name))) symlinkSync(join(root, name), join(copy, name));

/** @returns whether the tests passed; undefined when they took too long */
async function passes(tests: string): Promise<boolean | undefined> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const words = [vitest, 'run', '--project', 'unit', '--bail', '1', '--passWithNoTests', tests];
  const child = spawn(process.execPath, words, { cwd: copy, stdio: 'ignore', detached: true });
  group = child.pid;
  const timer = setTimeout(() => {
    // Its workers too.
    if (group !== undefined) process.kill(-group, 'SIGKILL');
  }, Number(values.seconds) * 1000);
  const [code, signal] = await once(child, 'close');
  group = undefined;
  clearTimeout(timer);
  return signal === 'SIGKILL' ? undefined : code === 0;
}

async function judge(mutant: Mutant): Promise<Verdict> {
  const { own, beside } = testsOf(root, mutant.file);
  const path = join(copy, mutant.file);
  // The copy's: ours may be changed meanwhile.
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, changed(source, mutant));
  try {
    for (const tests of own === undefined ? [beside] : [own, beside]) {
      const passed = await passes(tests);
      if (passed === undefined) return 'too slow';
      if (!passed) return 'noticed';
    }
    return 'survived';
  } finally {
    writeFileSync(path, source);
  }
}

const sound = new Map<string, boolean | undefined>();
const outcomes: Outcome[] = [];
for (const mutant of chosen) {
  let verdict = known.get(idOf(mutant));
  if (verdict === undefined) {
    const { beside } = testsOf(root, mutant.file);
    if (!sound.has(beside)) sound.set(beside, await passes(beside));
    if (sound.get(beside) !== true) {
      print(`     not judged ${mutant.file}:${mutant.line}: ${beside} fails or takes too long without any change`);
      continue;
    }
    verdict = await judge(mutant);
    appendFileSync(state, `${JSON.stringify({ ...mutant, verdict })}\n`);
  }
  outcomes.push({ ...mutant, verdict });
  const shown = mutant.after === '' ? `without ${mutant.before.trim()}` : `${mutant.before} → ${mutant.after}`;
  print(
    `${String(outcomes.length).padStart(4)}/${chosen.length} ${verdict.padEnd(8)} ${mutant.file}:${mutant.line} ${shown}`,
  );
}
const noticed = outcomes.filter(({ verdict }) => verdict !== 'survived').length;
print(
  `${noticed} of ${outcomes.length} changes were noticed (of ${all.length} that are possible; seed ${values.seed})`,
);
