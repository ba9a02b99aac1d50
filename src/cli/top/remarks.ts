import type { Remark } from '../../view/top/model.ts';
import { REMARKS_KEPT } from './limits.ts';
import { Ring } from './ring.ts';

/** What happened, for the capture view. */
export class Remarks {
  readonly #ring = new Ring<Remark>(REMARKS_KEPT);

  add(text: string, failed: boolean, at?: number): void {
    this.#ring.push({ at, text, failed });
  }

  /** Oldest first. */
  get all(): readonly Remark[] {
    return [...this.#ring];
  }
}
