import { Writable } from 'node:stream';

/**
 * Hands on to another stream what is written to it, except while it is shut: then writers wait, and by their
 * back-pressure the agents keep the packets, as far as their memory goes.
 */
export class PauseGate extends Writable {
  readonly #to: Writable;
  #held: (() => void) | undefined;
  #shut = false;

  constructor(to: Writable) {
    super({ highWaterMark: 1 });
    this.#to = to;
    to.on('error', (error) => this.destroy(error));
  }

  get isShut(): boolean {
    return this.#shut;
  }

  shut(): void {
    this.#shut = true;
  }

  open(): void {
    this.#shut = false;
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    const pass = () => void this.#to.write(chunk, (error) => done(error));
    if (this.#shut) this.#held = pass;
    else pass();
  }

  override _final(done: (error?: Error | null) => void): void {
    const end = () => void this.#to.end(() => done());
    if (this.#shut) this.#held = end;
    else end();
  }
}
