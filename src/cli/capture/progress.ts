import type { CaptureObserver } from '../../capture/streams/capture-observer.ts';
import { type Gap, incompleteCounts } from '../../capture/streams/report.ts';
import { timeSpan } from '../../view/units.ts';
import { CHANGES_SHOWN, CHANGES_SHOWN_MS } from '../limits.ts';
import { type Logger, reportError } from '../logger.ts';

/** Prints on stderr what happens during a capture. Targets that come and go are reported one by one, up to a bound. */
export class CaptureProgress implements CaptureObserver {
  readonly #log: Logger;
  #shown = 0;
  readonly #failures = new Set<string>();
  #since = Number.NEGATIVE_INFINITY;
  #joined = 0;
  #left = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  started(_key: string, label: string, { joined, sandboxMs }: { joined: boolean; sandboxMs: number | undefined }) {
    const early = sandboxMs === undefined ? '' : `, ${timeSpan(sandboxMs)} after its network was there`;
    if (!joined) this.#log.info(`capturing ${label}${early}`);
    else if (this.#mayShow()) this.#log.info(`capturing ${label}, which joined${early}`);
    else this.#joined += 1;
  }

  waiting(_key: string, label: string, message: string): void {
    this.#log.debug(`waiting for ${label}: ${message}`);
  }

  failed(_key: string, _label: string, error: Error): void {
    // A filter that is wrong is so on every node.
    const isNew = !this.#failures.has(error.message);
    if (isNew && this.#mayShow()) {
      this.#failures.add(error.message);
      reportError(error, this.#log.warn);
    } else this.#log.debug(error.message);
  }

  gone(_key: string, label: string): void {
    if (this.#mayShow()) this.#log.warn(`${label} is gone`);
    else this.#left += 1;
  }

  lost(gap: { readonly label: string; readonly reason: string }): void {
    this.#log.warn(`the stream from ${gap.label} was lost: ${gap.reason} Trying again ...`);
  }

  resumed(gap: Pick<Gap, 'label' | 'from' | 'incompleteSince'>): void {
    const missing = `packets since ${gap.from.toISOString()} are missing${incompleteCounts(gap)}`;
    this.#log.warn(`the stream from ${gap.label} is back; ${missing}`);
  }

  note(message: string): void {
    this.#log.warn(message);
  }

  log(node: string, message: string): void {
    this.#log.debug(`${node}: ${message}`);
  }

  /** Prints what was held back. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#joined + this.#left > 0) {
      this.#log.info(`${this.#joined} more targets joined and ${this.#left} more are gone; the summary lists them`);
    }
    this.#joined = 0;
    this.#left = 0;
  }

  #mayShow(): boolean {
    const now = performance.now();
    if (now - this.#since > CHANGES_SHOWN_MS) {
      this.close();
      this.#since = now;
      this.#shown = 0;
      this.#failures.clear();
    }
    this.#shown += 1;
    if (this.#shown <= CHANGES_SHOWN) return true;
    this.#timer ??= setTimeout(() => this.close(), CHANGES_SHOWN_MS).unref();
    return false;
  }
}
