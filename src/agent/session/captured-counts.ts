import type { CapturedCount } from '../../wire/captured-count.ts';
import { CAPTURES_COUNTED } from '../limits.ts';

type Amount = Pick<CapturedCount, 'packets' | 'bytes'>;

interface Known {
  /** Of sessions that have ended. */
  packets: number;
  bytes: number;
  readonly running: Set<() => Amount>;
}

/** What the sessions of each Capture have captured on this node: for the events of its end, which the controller writes. */
export class CapturedCounts {
  /** By UID of the Capture, the one that changed last at the end. */
  readonly #known = new Map<string, Known>();

  /**
   * A session begins.
   * @param capture UID of its Capture
   * @param amount what it has captured until now
   * @returns ends it
   */
  begin(capture: string, amount: () => Amount): () => void {
    const known = this.#known.get(capture) ?? { packets: 0, bytes: 0, running: new Set() };
    this.#touch(capture, known);
    known.running.add(amount);
    return () => {
      if (!known.running.delete(amount)) return;
      const { packets, bytes } = amount();
      known.packets += packets;
      known.bytes += bytes;
      this.#touch(capture, known);
    };
  }

  list(): CapturedCount[] {
    return [...this.#known].map(([capture, known]) => {
      const all = [...known.running].map((amount) => amount());
      const sum = (key: keyof Amount) => all.reduce((total, each) => total + each[key], known[key]);
      return { capture, packets: sum('packets'), bytes: sum('bytes'), runs: all.length > 0 };
    });
  }

  /** The oldest of those that have ended are forgotten. */
  #touch(capture: string, known: Known): void {
    this.#known.delete(capture);
    this.#known.set(capture, known);
    for (const [oldest, { running }] of this.#known) {
      if (this.#known.size <= CAPTURES_COUNTED) return;
      if (running.size === 0) this.#known.delete(oldest);
    }
  }
}
