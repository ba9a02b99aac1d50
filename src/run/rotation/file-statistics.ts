import { interfaceStatistics } from '../../wire/pcapng-write.ts';
import type { InterfaceStatistics } from '../../wire/statistics-read.ts';

/** Turns an interface's statistics, which count from the capture's beginning, into those of one file. */
export class FileStatistics {
  readonly #id: number;
  #startTime: bigint;
  #packets = 0;
  /** Losses as last reported, and as reported when the file began. */
  #lost = { kernel: 0, all: 0 };
  #before = { kernel: 0, all: 0 };

  constructor(id: number, startTime: bigint) {
    this.#id = id;
    this.#startTime = startTime;
  }

  /** A packet of it is in the file. */
  packet(): void {
    this.#packets += 1;
  }

  /** Takes the capture's statistics and returns those of this file. */
  told({ received, captured, droppedByKernel, endTime, time }: InterfaceStatistics): Uint8Array {
    this.#lost = { kernel: droppedByKernel, all: Math.max(0, received - captured) };
    return this.#block(time, endTime);
  }

  /** The file ends here: its last statistics. */
  end(time: bigint): Uint8Array {
    return this.#block(time, time);
  }

  /** Another file begins. */
  begin(time: bigint): void {
    this.#startTime = time;
    this.#packets = 0;
    this.#before = this.#lost;
  }

  #block(time: bigint, endTime: bigint | undefined): Uint8Array {
    return interfaceStatistics({
      interfaceId: this.#id,
      time,
      startTime: this.#startTime,
      endTime,
      received: this.#packets + this.#lost.all - this.#before.all,
      droppedByKernel: this.#lost.kernel - this.#before.kernel,
      captured: this.#packets,
    });
  }
}
