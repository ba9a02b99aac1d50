// Makes a fresh clone ready, then runs the command given: `node scripts/ready.mjs [--build] COMMAND [ARG ...]`.
// Plain JavaScript without dependencies, because it runs on whatever Node the machine has, before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(fileURLToPath(import.meta.url), '..', '..');
const binaries = join(root, 'node_modules', '.bin');
const stamp = join(root, 'node_modules', '.ksnoop-ready');
const words = process.argv.slice(2);
const wantsBuild = words[0] === '--build';
if (wantsBuild) words.shift();

process.env.PATH = binaries + delimiter + (process.env.PATH ?? '');

const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const have = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
if (have !== wanted) {
  console.error('ksnoop: installing the npm packages of package-lock.json (a current Node among them) ...');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm could not install the packages');
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stamp, wanted);
}
if (wantsBuild) run('node', [join(root, 'scripts', 'build.ts')], 'the build failed');
const [command = 'node', ...args] = words;
run(command, args);

function run(program, args, failure) {
  const result = spawnSync(program, args, { stdio: 'inherit', cwd: root });
  if (result.error) {
    console.error(`ksnoop: ${program} could not be started: ${result.error.message}`);
    process.exit(127);
  }
  if (result.status === 0) {
    if (failure === undefined) process.exit(0);
    return;
  }
  if (failure !== undefined) console.error(`ksnoop: ${failure} (exit code ${result.status ?? result.signal}).`);
  process.exit(result.status ?? 1);
}
