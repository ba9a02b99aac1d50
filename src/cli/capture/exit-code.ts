import type { CaptureResult } from '../../capture/streams/capture.ts';
import { countersOf } from '../../capture/streams/report.ts';
import type { CaptureOutcome } from '../../run/capture/run.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';

/**
 * The exit code of a capture (design, "Exit codes").
 * @param strict whether loss is a failure
 */
export function exitCode({ result, failure }: Omit<CaptureOutcome, 'summary'>, strict = false): ExitCode {
  const { report, tally } = result;
  const failed = report.failed();
  if (tally.interfaces.length === 0) {
    return failed[0]?.error?.exit ?? (result.cause === 'duration' ? EXIT.noTarget : EXIT.failed);
  }
  if (failure !== undefined) return EXIT.failed;
  if (strict && isLossy(result)) return EXIT.truncated;
  return failed.length > 0 || report.gaps.length > 0 || result.cutOff ? EXIT.partial : EXIT.done;
}

/** Whether packets that were to be captured are missing: dropped by anybody, in a gap, or cut off at the end. */
function isLossy({ report, cutOff }: CaptureResult): boolean {
  const dropped = [...report.targets.values()].some((target) => {
    const { droppedByKernel, droppedByKsnoop } = countersOf(target);
    return droppedByKernel + droppedByKsnoop > 0;
  });
  return dropped || cutOff || report.gaps.length > 0;
}
