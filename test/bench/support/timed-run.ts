import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from '../../support/packages.ts';

const TIME = '/usr/bin/time';

/** What a whole process took, from its start to its end. */
export interface Run {
  readonly seconds: number;
  /** Processor time of all its threads, seconds: what a busy machine changes least. */
  readonly processor: number;
  /** The most memory it had at once: resident set, bytes. */
  readonly memory: number;
}

/**
 * Run a program to its end, its output thrown away.
 * @throws Error when it fails: what it did not do would be no measure
 */
export async function timedRun(program: string, ...args: string[]): Promise<Run> {
  const problem = ensurePackages(['time']);
  if (problem !== undefined) throw new Error(problem);
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-time-'));
  try {
    const report = join(directory, 'report');
    const began = performance.now();
    const child = spawn(TIME, ['-f', '%M %U %S', '-o', report, program, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-2_000);
    });
    const [code] = await once(child, 'close');
    const seconds = (performance.now() - began) / 1_000;
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${said}`);
    const [memory = Number.NaN, user = Number.NaN, system = Number.NaN] = readFileSync(report, 'utf8')
      .trim()
      .split(' ')
      .map(Number);
    return { seconds, processor: user + system, memory: memory * 1024 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
