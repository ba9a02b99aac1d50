import type { KsnoopError } from '../../wire/errors.ts';
import type { WatchHealth } from '../kube/supervised-watch.ts';

/** Notes once that following the targets is interrupted, and once that all watches work again, however many there are. */
export class FollowHealth implements WatchHealth {
  readonly #note: (message: string) => void;
  readonly #interrupted = new Set<string>();
  readonly #refused = new Set<string>();

  constructor(note: (message: string) => void) {
    this.#note = note;
  }

  interrupted(watch: string, error: KsnoopError): void {
    if (this.#interrupted.size === 0)
      this.#note(`changes of the targets cannot be followed at the moment: ${error.message}`);
    this.#interrupted.add(watch);
  }

  resumed(watch: string): void {
    if (this.#interrupted.delete(watch) && this.#interrupted.size === 0)
      this.#note('changes of the targets are followed again');
  }

  refused(watch: string, error: KsnoopError): void {
    this.#interrupted.delete(watch);
    if (this.#refused.has(error.message)) return;
    this.#refused.add(error.message);
    const hint = error.hint === undefined ? '' : ` ${error.hint}`;
    this.#note(`targets found so far are captured, but changes are not followed: ${error.message}${hint}`);
  }
}
