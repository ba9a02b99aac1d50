import type { RunningCapture } from '../../capture/streams/capture.ts';
import type { CaptureRun } from '../../run/capture/run.ts';
import { byteSize } from '../../view/units.ts';
import type { Logger } from '../logger.ts';
import { MUCH } from './edge-hint.ts';

/** How long a capture is looked at from its first packets on, and over what time its rate is measured, milliseconds. */
const PROBE_MS = 3_000;
const WINDOW_MS = 1_000;
const STEP_MS = 250;

/**
 * Whether the packets of a capture that has just begun are too many for the connection: MUCH or more in one of its first seconds.
 * Later a capture goes on as it is: one that changed then would have to leave out more, for connections that are open at the change
 * would count twice.
 * @param now the monotonic clock, milliseconds
 * @returns the rate, bytes per second; undefined where they are not, or the capture ends
 */
export async function rateAtFirst(
  running: Pick<RunningCapture, 'received' | 'started' | 'isStopping' | 'result'>,
  now: () => number = () => performance.now(),
): Promise<number | undefined> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  const result = running.result.then(over, over);
  await Promise.race([running.started, result]);
  const samples: { readonly at: number; readonly bytes: number }[] = [];
  const end = now() + PROBE_MS;
  while (!isOver && !running.isStopping) {
    const last = { at: now(), bytes: running.received };
    samples.push(last);
    const first = samples.findLast(({ at }) => last.at - at >= WINDOW_MS);
    const rate = first === undefined ? 0 : ((last.bytes - first.bytes) / (last.at - first.at)) * 1_000;
    if (rate >= MUCH) return rate;
    if (last.at >= end) return undefined;
    await Promise.race([new Promise((resolve) => setTimeout(resolve, STEP_MS)), result]);
  }
  return undefined;
}

/** Whether a capture that has just begun brings too many packets: then it is taken back, to begin again with an analysis on the nodes. */
export async function isTooMuch(run: CaptureRun, log: Logger): Promise<boolean> {
  const rate = await rateAtFirst(run.running);
  if (rate === undefined) return false;
  log.info(
    `${byteSize(rate)} of packets per second come here: from now on they are analysed on their nodes (--edge), and what came before is left out; --no-edge brings them here`,
  );
  run.discard();
  return true;
}
