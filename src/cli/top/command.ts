import { whereExpression } from '../../run/where.ts';
import type { ExitCode } from '../../wire/errors.ts';
import { topFile } from './file.ts';
import { topTargets } from './live.ts';
import { checkTerminal, completeTop, completeTopCapture, type RawTopOptions } from './options.ts';

/** `ksnoop top [TARGET… | FILE]`: everything between the command line and the exit code. */
export async function topCommand(words: readonly string[], raw: RawTopOptions): Promise<ExitCode> {
  const config = completeTop(words, raw);
  checkTerminal({ stdout: process.stdout.isTTY === true, environment: process.env });
  const where = await whereExpression(config.where);
  if (config.file !== undefined) return topFile(config, config.file, where);
  const canAsk = process.stdin.isTTY === true && process.stderr.isTTY === true;
  return topTargets(config, completeTopCapture(config.targets, raw, canAsk), where);
}
