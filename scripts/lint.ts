/** `npm run lint`: Biome's rules and format, the types, which room may import which, and that no files import each other. */
import { spawnSync } from 'node:child_process';
import { importCycles } from './import-cycles.ts';
import { importViolations } from './import-directions.ts';

const violations = [...importViolations(), ...importCycles().map((cycle) => `${cycle}: files that import each other`)];
for (const violation of violations) process.stderr.write(`${violation}\n`);
const checks = [
  ['biome', 'check', '--error-on-warnings', '.'],
  ['tsc', '--noEmit', '--project', '.'],
] as const;
const failed = checks.filter(([program, ...args]) => spawnSync(program, args, { stdio: 'inherit' }).status !== 0);
process.exitCode = violations.length + failed.length === 0 ? 0 : 1;
