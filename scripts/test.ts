/**
 * `npm test`: everything. Lint, then the unit tests, those that need this machine's root, and those on a real cluster:
 * ours (made, used and taken down), or the one KSNOOP_E2E_KUBECONFIG names. Ends with the count of all tests.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { ensurePackages } from '../test/support/packages.ts';

interface Assertion {
  readonly status: string;
  readonly fullName: string;
  readonly failureMessages?: readonly string[];
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly Assertion[];
  }[];
}

const counts = { passed: 0, failed: 0, skipped: 0 };
const skipped: string[] = [];
const failed: string[] = [];
const ownCluster = process.env.KSNOOP_E2E_KUBECONFIG === undefined;

// Unit tests compare with programs of these packages where they are there: so they come first.
const missing = ensurePackages();
const linted = run('node', ['scripts/lint.ts']) === 0;
if (linted) counts.passed += 1;
else fail('lint', 'see the beginning');
vitest('unit');

if (missing !== undefined) {
  skip('host', missing);
  if (ownCluster) skip('cluster', missing);
} else vitest('host');
if (missing === undefined || !ownCluster) onCluster();

for (const line of failed) console.log(`failed: ${line}`);
for (const line of skipped) console.log(`skipped: ${line}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;

function onCluster(): void {
  const up = !ownCluster || run('node', ['test/cluster/main.ts', 'up']) === 0;
  try {
    if (up) vitest('cluster');
    else {
      fail('the cluster', 'it did not come up');
      skip('cluster', 'the cluster did not come up (see above)');
    }
  } finally {
    if (ownCluster && run('node', ['test/cluster/main.ts', 'down']) !== 0) fail('the cluster', 'it did not come down');
  }
}

function run(program: string, args: readonly string[]): number {
  return spawnSync(program, args, { stdio: 'inherit' }).status ?? 1;
}

/** The reason is told once more at the end: who reads the last lines of a log finds what failed there. */
function fail(what: string, why: string): void {
  counts.failed += 1;
  failed.push(`${what}: ${why}`);
}

function skip(project: string, why: string): void {
  counts.skipped += 1;
  skipped.push(`all ${project} tests: ${why}`);
}

/** Run one project and add what it counted. A run that ends without a report has failed. */
function vitest(project: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-test-'));
  const file = join(directory, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = run('vitest', ['run', '--project', project, ...reporters]);
    const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
    const before = counts.failed;
    for (const { name, status, message, assertionResults } of report.testResults) {
      const path = name.split('/test/').at(-1);
      if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) {
        fail(`test/${path}`, beginning(message));
      }
      for (const test of assertionResults) {
        const called = `${test.fullName} (${path})`;
        if (test.status === 'passed') counts.passed += 1;
        else if (test.status === 'failed') fail(called, beginning(test.failureMessages?.[0]));
        else {
          counts.skipped += 1;
          skipped.push(called);
        }
      }
    }
    if (code !== 0 && counts.failed === before) fail(`the ${project} tests`, `the runner ended with ${code}`);
  } catch (thrown) {
    fail(`the ${project} tests`, `they ended without a report: ${String(thrown)}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function beginning(message = ''): string {
  const text = stripVTControlCharacters(message).replace(/\s+/g, ' ').trim();
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
