import { setTimeout as sleep } from 'node:timers/promises';

/** Octets taken at once while a file is replayed: packets of few milliseconds. */
export const REPLAY_BYTES = 4 * 1024;

/** How long a wait lasts before it is looked whether it is still wanted. */
const WAIT_MS = 50;

/** Lets packets through when their time has come: as far apart as they were captured. */
export class Pace {
  readonly #from: number;
  readonly #holds: () => boolean;
  #began = performance.now();

  /** @param from ns: what is earlier passes at once; @param holds whether time stands still */
  constructor(from: number, holds: () => boolean) {
    this.#from = from;
    this.#holds = holds;
  }

  /** Resolves when a packet of this time may be looked at, or nobody waits any more. @param time ns */
  async until(time: number, signal: AbortSignal): Promise<void> {
    if (time <= this.#from) {
      this.#began = performance.now();
      return;
    }
    while (!signal.aborted) {
      const now = performance.now();
      const ahead = (time - this.#from) / 1e6 - (now - this.#began);
      const held = this.#holds();
      if (ahead <= 0 && !held) return;
      await sleep(held ? WAIT_MS : Math.min(WAIT_MS, ahead));
      if (held) this.#began += performance.now() - now;
    }
  }
}
