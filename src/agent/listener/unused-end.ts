import { UNUSED_FIRST_MS, UNUSED_MS } from '../limits.ts';

/** Ends an agent that was started for one capture: its client may have been killed and cannot end it. */
export class UnusedEnd {
  readonly #end: () => void;
  #sessions = 0;
  #timer: NodeJS.Timeout;

  /** @param end called once there was no session for UNUSED_FIRST_MS, or after a session for UNUSED_MS */
  constructor(end: () => void) {
    this.#end = end;
    this.#timer = setTimeout(end, UNUSED_FIRST_MS);
  }

  begun(): void {
    this.#sessions += 1;
    clearTimeout(this.#timer);
  }

  ended(): void {
    this.#sessions -= 1;
    clearTimeout(this.#timer);
    if (this.#sessions === 0) this.#timer = setTimeout(this.#end, UNUSED_MS);
  }
}
