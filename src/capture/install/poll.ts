import { setTimeout as sleep } from 'node:timers/promises';
import { POLL_MS } from './limits.ts';

/** Wait until it is time to look again. @throws the signal's reason as soon as it aborts */
export async function nextPoll(signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(POLL_MS, undefined, { signal });
  } catch (thrown) {
    // Node's own error says only that something was aborted.
    signal?.throwIfAborted();
    throw thrown;
  }
}
