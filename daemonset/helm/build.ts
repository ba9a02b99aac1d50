/**
 * Writes the Helm chart of the agents, made from daemonset/base:
 *   node daemonset/helm/build.ts [-o FILE]      (default: release/ksnoop-VERSION.tgz)
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { VERSION } from '../../src/wire/version.ts';
import { chartFiles } from './chart.ts';

/** Write the chart as Helm packages it. The same manifests give the same tar. */
export function writeChart(output: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-chart-'));
  try {
    for (const [path, text] of chartFiles()) {
      const file = join(directory, 'ksnoop', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    mkdirSync(dirname(resolve(output)), { recursive: true });
    const equal = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
    execFileSync('tar', [...equal, '-C', directory, '-czf', resolve(output), 'ksnoop']);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { output: { type: 'string', short: 'o' } } });
  const output = values.output ?? join(import.meta.dirname, `../../release/ksnoop-${VERSION}.tgz`);
  writeChart(output);
  process.stdout.write(`${output}\n`);
}
