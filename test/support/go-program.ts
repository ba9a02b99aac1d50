import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../daemonset/image/cache-directory.ts';

const SOURCES = join(import.meta.dirname, '../oracle/otlp');

/** A build from nothing takes ten minutes on two busy processors. */
export const GO_BUILD_MS = 1_800_000;

const run = promisify(execFile);

/**
 * A program of a Go module below test/oracle/otlp, statically linked, built once.
 * @param target what is built: `.`, or a package that the module requires
 * @returns its path; it is called like the module, or like the package
 */
export async function goProgram(module: string, target = '.', ...flags: string[]): Promise<string> {
  const directory = join(cacheDirectory(), 'otlp');
  const program = join(directory, target === '.' ? module : (target.split('/').at(-1) ?? module));
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  const env = { ...process.env, CGO_ENABLED: '0' };
  await run('go', ['build', ...flags, '-ldflags', '-s -w', '-o', program, target], { cwd: join(SOURCES, module), env });
  return program;
}
