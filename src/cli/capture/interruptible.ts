import type { CaptureRun } from '../../run/capture/run.ts';
import { type ExitCode, KsnoopError } from '../../wire/errors.ts';
import type { Logger } from '../logger.ts';
import { onStopSignals } from '../signals.ts';

/**
 * Until a capture runs a signal aborts what is under way; from then on the first one ends the capture in order, and the
 * second one at once.
 */
export async function interruptible<Result = ExitCode>(
  act: (signal: AbortSignal, stoppable: (run: CaptureRun, log: Logger) => void) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  let handle = (_count: number) =>
    abort.abort(new KsnoopError('INTERRUPTED', 'Interrupted before anything was captured.'));
  const release = onStopSignals((count) => handle(count));
  try {
    return await act(abort.signal, ({ running }, log) => {
      handle = (count) => {
        if (count > 1) running.terminate();
        else {
          log.info('Stopping… press Ctrl-C again to quit now');
          running.stop('user');
        }
      };
    });
  } finally {
    release();
  }
}
