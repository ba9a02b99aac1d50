import { constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from '../../wire/errors.ts';

/** How often opening a FIFO without a reader is tried again. */
const RETRY_MS = 50;

/**
 * A FIFO waits for its reader. Opened without blocking, for a blocked thread hears no Ctrl-C.
 * @returns a file descriptor for writing
 * @throws the error of open(2), or the signal's reason
 */
export async function openFifo(path: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (cause) {
      // It has no reader yet (open(2)).
      if (systemCode(cause) !== 'ENXIO') throw cause;
    }
    await sleep(RETRY_MS);
  }
}
