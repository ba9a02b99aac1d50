import type { ExitCode } from '../../wire/errors.ts';
import { topFile } from './file.ts';
import { topTargets } from './live.ts';
import { checkTerminal, completeTop, type RawTopOptions } from './options.ts';
import { whereOf } from './where.ts';

/** `ksnoop top [TARGET… | FILE]`: everything between the command line and the exit code. */
export async function topCommand(words: readonly string[], raw: RawTopOptions): Promise<ExitCode> {
  const config = completeTop(words, raw);
  checkTerminal({ stdout: process.stdout.isTTY === true, environment: process.env });
  const where = await whereOf(config.where);
  return config.file === undefined ? await topTargets(config, raw, where) : await topFile(config, config.file, where);
}
