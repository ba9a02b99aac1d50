import type { CaptureRun } from '../../run/capture/run.ts';
import { type ExitCode, KsnoopError } from '../../wire/errors.ts';
import type { Logger } from '../logger.ts';
import { onStopSignals } from '../signals.ts';

/** Is told of the capture that runs; of undefined where it has ended and another attempt is under way. */
export type Stoppable = (run: Pick<CaptureRun, 'running'> | undefined, log: Logger) => void;

/**
 * Until a capture runs a signal aborts what is under way; from then on the first one ends the capture in order, and the
 * second one at once.
 */
export async function interruptible<Result = ExitCode>(
  act: (signal: AbortSignal, stoppable: Stoppable) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  const interrupt = () => abort.abort(new KsnoopError('INTERRUPTED', 'Interrupted before anything was captured.'));
  let handle: (count: number) => void = interrupt;
  const release = onStopSignals((count) => handle(count));
  try {
    return await act(abort.signal, (run, log) => {
      handle = run === undefined ? interrupt : (count) => stop(run, count, log);
    });
  } finally {
    release();
  }
}

function stop({ running }: Pick<CaptureRun, 'running'>, count: number, log: Logger): void {
  if (count > 1) running.terminate();
  else {
    log.info('Stopping… press Ctrl-C again to quit now');
    running.stop('user');
  }
}
