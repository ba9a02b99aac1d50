import { type CapturePlan, isEmpty } from '../../run/capture/plan.ts';
import type { CaptureOutcome } from '../../run/capture/run.ts';
import { summaryLines } from '../../view/summary.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { type Logger, reportError } from '../logger.ts';
import { exitCode } from './exit-code.ts';

/** Prints the notes of a plan. @returns the exit code where there is nothing to capture; undefined else */
export function announce(plan: CapturePlan, log: Logger): ExitCode | undefined {
  for (const line of plan.warnings) log.warn(line);
  for (const { error } of plan.refused) reportError(error, log.warn);
  if (!isEmpty(plan)) return undefined;
  void plan.close();
  return plan.refused[0]?.error.exit ?? EXIT.noTarget;
}

/** Print the closing summary. @returns the exit code */
export function conclude(outcome: CaptureOutcome, strict: boolean, log: Logger): ExitCode {
  const { result, summary } = outcome;
  if (summary !== undefined) for (const line of summaryLines(summary)) log.warn(line);
  else if (outcome.failure !== undefined) reportError(outcome.failure, log.warn);
  // Where targets failed, their errors were printed already.
  else if (result.report.failed().length === 0)
    log.warn(
      result.cause === 'duration'
        ? 'nothing was captured: there was no pod until the end of --duration'
        : 'nothing was captured: the capture ended before an agent began',
    );
  return exitCode(outcome, strict);
}
