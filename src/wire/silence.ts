/**
 * How long the other side was silent, counted in looks of a timer: a turn of the event loop that takes long counts as one look, however long it
 * takes. By the clock, the look behind such a turn would find a silence of its length, because Node runs timers before it reads what has arrived
 * meanwhile.
 */
export class Silence {
  #heard = true;
  #milliseconds = 0;

  /** Something has arrived. */
  heard(): void {
    this.#heard = true;
  }

  /**
   * Look, as often as a timer of the caller runs.
   * @param interval of that timer, milliseconds
   * @returns how long nothing has arrived, milliseconds: never more than in truth
   */
  look(interval: number): number {
    this.#milliseconds = this.#heard ? 0 : this.#milliseconds + interval;
    this.#heard = false;
    return this.#milliseconds;
  }
}
