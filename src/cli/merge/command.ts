import { STATE_START } from '../../analyze/summary/state-write.ts';
import { analysisOutput } from '../../run/analysis/index.ts';
import { isMergeOutput, MERGE_OUTPUTS, type MergeOutput } from '../../run/merge/outputs.ts';
import { wantsColour } from '../../view/colour.ts';
import { counted } from '../../view/units.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { logger } from '../logger.ts';
import { checkArgument, chosenOutput } from '../output-argument.ts';
import { onStopSignals } from '../signals.ts';
import { isTerminal } from '../terminal.ts';
import { usage } from '../usage.ts';

/** What commander hands over for `ksnoop merge`, before it is believed. */
export interface RawMergeOptions {
  readonly output?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Files with the content of another that are named. */
const COPIES_NAMED = 8;

/** `ksnoop merge FILE…`: everything between the command line and the exit code. */
export async function mergeCommand(words: readonly string[], raw: RawMergeOptions): Promise<ExitCode> {
  const { output, argument } = mergeOutput(raw);
  if (words.includes('-') && isTerminal('stdin')) {
    throw usage('There is no saved summary to read.', 'Name a file, or pipe one in: ksnoop merge states/');
  }
  const log = logger({ quiet: raw.quiet === true, verbose: raw.verbose === true });
  const abort = new AbortController();
  const release = onStopSignals(() => abort.abort());
  try {
    const [{ mergeStates }, { mergedLines }] = await Promise.all([
      import('../../run/merge/merge.ts'),
      import('../../run/merge/form.ts'),
    ]);
    const { files, copies, ...merged } = await mergeStates(words, abort.signal);
    const lines = mergedLines(merged, {
      output,
      argument,
      json: raw.json === true,
      colour: wantsColour(process.stdout, process.env),
      width: isTerminal('stdout') ? process.stdout.columns : undefined,
    });
    const text = `${lines.join('\n')}\n`;
    if (output === 'summary-state' && argument !== undefined) {
      (await import('../../run/sink/whole-file.ts')).writeWholeFile(argument, text, STATE_START);
      log.info(`wrote ${argument}`);
    } else process.stdout.write(text);
    for (const copy of copies.slice(0, COPIES_NAMED)) log.warn(copy);
    if (copies.length > COPIES_NAMED) log.warn(`${counted(copies.length - COPIES_NAMED, 'further file')}: the same.`);
    log.info(`${counted(files - copies.length, 'file')} added up; saved summaries have no findings`);
    const warnings = merged.parts.warnings();
    for (const warning of warnings) log.warn(warning);
    return warnings.length === 0 ? EXIT.done : EXIT.truncated;
  } finally {
    release();
  }
}

/** @throws KsnoopError USAGE (exit 2) */
export function mergeOutput({ output: text = 'summary', json }: RawMergeOptions): {
  readonly output: MergeOutput;
  readonly argument: string | undefined;
} {
  const { name, argument } = chosenOutput(text, undefined);
  if (!isMergeOutput(name)) {
    throw usage(
      `ksnoop merge has no output "${name}".`,
      `There are: ${MERGE_OUTPUTS.join(', ')}. Other outputs need the captures: ksnoop read.`,
    );
  }
  const form = analysisOutput(name);
  if (form !== undefined) checkArgument(form, argument, json);
  if (json === true && (name === 'csv' || name === 'summary-state')) {
    throw usage(`The ${name} output has no JSON form.`, 'summary and map have one.');
  }
  return { output: name, argument };
}
