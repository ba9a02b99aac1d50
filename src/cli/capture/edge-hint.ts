import type { RunningCapture } from '../../capture/streams/capture.ts';
import { byteSize } from '../../view/units.ts';
import type { Logger } from '../logger.ts';

/** How long a rate is measured, milliseconds, and from which on packets are many for a connection, bytes per second: 80 Mbit/s. */
const WINDOW_MS = 5_000;
export const MUCH = 10_000_000;

/**
 * Say once that the packets of a capture are many for the connection, and what avoids that. The capture goes on as it is: one that
 * changed to an analysis on the nodes would lose the packets in between, and count connections twice that are open then.
 * @param now the monotonic clock, milliseconds
 */
export async function hintAtEdge(
  { tally, started, result }: Pick<RunningCapture, 'tally' | 'started' | 'result'>,
  log: Pick<Logger, 'info'>,
  now: () => number = () => performance.now(),
): Promise<void> {
  await started;
  let [at, bytes] = [now(), tally.bytes];
  const timer = setInterval(() => {
    const rate = ((tally.bytes - bytes) / (now() - at)) * 1000;
    [at, bytes] = [now(), tally.bytes];
    if (!(rate >= MUCH)) return;
    clearInterval(timer);
    log.info(
      `${byteSize(rate)} of packets per second come here; with --edge they are analysed on their nodes and stay there`,
    );
  }, WINDOW_MS);
  timer.unref();
  await result.catch(() => {});
  clearInterval(timer);
}
