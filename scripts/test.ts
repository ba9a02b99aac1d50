/**
 * `npm test`: everything. Lint, then the unit tests, those that need this machine's root, and those on a real cluster:
 * ours (made, used and taken down), or the one KSNOOP_E2E_KUBECONFIG names. Ends with the count of all tests.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from '../test/support/packages.ts';

interface Assertion {
  readonly status: string;
  readonly fullName: string;
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly Assertion[];
  }[];
}

const counts = { passed: 0, failed: 0, skipped: 0 };
const skipped: string[] = [];
const ownCluster = process.env.KSNOOP_E2E_KUBECONFIG === undefined;

const linted = run('node', ['scripts/lint.ts']) === 0;
if (linted) counts.passed += 1;
else counts.failed += 1;
vitest('unit');

const missing = ensurePackages();
if (missing !== undefined) {
  skip('host', missing);
  if (ownCluster) skip('cluster', missing);
} else vitest('host');
if (missing === undefined || !ownCluster) onCluster();

for (const line of skipped) console.log(`skipped: ${line}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;

function onCluster(): void {
  const up = !ownCluster || run('node', ['test/cluster/main.ts', 'up']) === 0;
  try {
    if (up) vitest('cluster');
    else {
      counts.failed += 1;
      skip('cluster', 'the cluster did not come up (see above)');
    }
  } finally {
    if (ownCluster && run('node', ['test/cluster/main.ts', 'down']) !== 0) counts.failed += 1;
  }
}

function run(program: string, args: readonly string[]): number {
  return spawnSync(program, args, { stdio: 'inherit' }).status ?? 1;
}

function skip(project: string, why: string): void {
  counts.skipped += 1;
  skipped.push(`all ${project} tests: ${why}`);
}

/** Run one project and add what it counted. A run that ends without a report has failed. */
function vitest(project: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'ksnoop-test-'));
  const file = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = run('vitest', ['run', '--project', project, ...reporters]);
    const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
    let failures = 0;
    for (const { name, status, assertionResults } of report.testResults) {
      if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) failures += 1;
      for (const test of assertionResults) {
        if (test.status === 'passed') counts.passed += 1;
        else if (test.status === 'failed') failures += 1;
        else {
          counts.skipped += 1;
          skipped.push(`${test.fullName} (${name.split('/test/').at(-1)})`);
        }
      }
    }
    counts.failed += failures === 0 && code !== 0 ? 1 : failures;
  } catch (thrown) {
    console.error(`the ${project} tests ended without a report: ${String(thrown)}`);
    counts.failed += 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
