import { setTimeout } from 'node:timers/promises';

/** Bytes taken at once while a file is replayed: packets of few milliseconds. */
export const REPLAY_BYTES = 4 * 1024;

/** How long a wait lasts before it is looked whether it is still wanted. */
const WAIT_MS = 50;

/** A clock that can wait, milliseconds. */
export interface PaceClock {
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
}

const CLOCK: PaceClock = { now: () => performance.now(), sleep: (milliseconds) => setTimeout(milliseconds) };

/** Lets packets through when their time has come: as far apart as they were captured. */
export class Pace {
  readonly #from: number;
  readonly #holds: () => boolean;
  readonly #clock: PaceClock;
  #began: number;

  /** @param from ns: what is earlier passes at once; @param holds whether time stands still */
  constructor(from: number, holds: () => boolean, clock = CLOCK) {
    this.#from = from;
    this.#holds = holds;
    this.#clock = clock;
    this.#began = clock.now();
  }

  /** Resolves when a packet of this time may be looked at, or waiting was cancelled. @param time ns */
  async until(time: number, signal: AbortSignal): Promise<void> {
    if (time <= this.#from) {
      this.#began = this.#clock.now();
      return;
    }
    while (!signal.aborted) {
      const now = this.#clock.now();
      const ahead = (time - this.#from) / 1e6 - (now - this.#began);
      const held = this.#holds();
      if (ahead <= 0 && !held) return;
      await this.#clock.sleep(held ? WAIT_MS : Math.min(WAIT_MS, ahead));
      if (held) this.#began += this.#clock.now() - now;
    }
  }
}
