/** `npm run lint`: Biome's rules and format, the types, and which room may import which. */
import { spawnSync } from 'node:child_process';
import { importViolations } from './import-directions.ts';

const violations = importViolations();
for (const violation of violations) process.stderr.write(`${violation}\n`);
const checks = [
  ['biome', 'check', '--error-on-warnings', '.'],
  ['tsc', '--noEmit', '--project', '.'],
] as const;
const failed = checks.filter(([program, ...args]) => spawnSync(program, args, { stdio: 'inherit' }).status !== 0);
process.exitCode = violations.length + failed.length === 0 ? 0 : 1;
