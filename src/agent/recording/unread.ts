import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { RECORDING_REREAD_MS } from '../limits.ts';

/**
 * Recordings on the disk that cannot be read now: too many files are open, or the disk fails. That may pass, so their files stay, no
 * recording of the same Capture begins over them, and they are read again from time to time.
 */
export class UnreadRecordings {
  readonly #known = new Map<string, { readonly why: string; readonly timer: NodeJS.Timeout }>();

  /** @param again reads it @returns why it cannot be read, a sentence */
  add(capture: string, thrown: unknown, again: () => void): string {
    const seconds = RECORDING_REREAD_MS / 1000;
    const why = `The recording on the node's disk cannot be read: ${messageOf(thrown)}. Its files stay, and are read again every ${seconds} s.`;
    this.remove(capture);
    this.#known.set(capture, { why, timer: setTimeout(again, RECORDING_REREAD_MS).unref() });
    return why;
  }

  /** @throws KsnoopError CANNOT_READ where it is one of these */
  check(capture: string): void {
    const unread = this.#known.get(capture);
    if (unread !== undefined) throw new KsnoopError('CANNOT_READ', unread.why);
  }

  /** @returns whether it was one of these */
  remove(capture: string): boolean {
    clearTimeout(this.#known.get(capture)?.timer);
    return this.#known.delete(capture);
  }
}
