import { BODIES_TOTAL_BYTES, BODY_BYTES } from '../../limits.ts';
import { maskBody } from './body-secrets.ts';
import { TOO_LONG } from './content-coding.ts';
import type { BodyTaker } from './framing.ts';
import { beginningOf, KeptBody } from './kept-body.ts';

/** Bytes that a body may be decompressed to. */
const DECOMPRESSED_MAXIMUM = 16 * BODY_BYTES;

/** Note of a body that was going on when its exchange ended. */
const STOPPED = 'not complete when the exchange ended';

/** What a text has none of: control characters but tabulators and line ends, and U+FFFD, which stands for bytes that are no UTF-8. */
const NO_TEXT = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]/;

/** A body as a text, or why there is none, or not all of it. */
export interface BodyText {
  readonly text: string | undefined;
  readonly note: string | undefined;
}

/** What is kept of bodies for those who asked for them, all connections together. */
export class Bodies {
  #left: number;
  readonly showSecrets: boolean;

  /** @param total bytes kept at once */
  constructor(showSecrets: boolean, total = BODIES_TOTAL_BYTES) {
    this.showSecrets = showSecrets;
    this.#left = total;
  }

  /** @returns bytes that may be kept, `wanted` or none */
  take(wanted: number): number {
    if (wanted > this.#left) return 0;
    this.#left -= wanted;
    return wanted;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}

/** The body of one message, as it comes: its first BODY_BYTES bytes as they were sent. */
export class MessageBody extends KeptBody {
  readonly #showSecrets: boolean;
  #isStopped = false;

  /** @param encoding of Content-Encoding, empty for none */
  constructor(bodies: Bodies, contentType: string, encoding: string) {
    super(contentType, encoding, { kept: BODY_BYTES, decompressed: DECOMPRESSED_MAXIMUM, room: bodies });
    this.#showSecrets = bodies.showSecrets;
  }

  /** Its exchange ends before it does: the response came early, or the connection ended. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * What was kept, as a text; it is not kept any longer. Secrets are masked as far as the body's form and place show them.
   * @param target of its request, where that is known
   */
  end(target = ''): BodyText {
    const { filled, isCut, length, isRefused } = this;
    const plain = this.plain();
    // A response may end before its request does: what comes of that later is not kept.
    this.release();
    if (filled === 0) {
      if (isCut) return { text: undefined, note: 'not captured' };
      const note = isRefused ? 'not kept: too many bodies at once' : this.#isStopped ? STOPPED : undefined;
      return { text: undefined, note };
    }
    if (plain === undefined) return { text: undefined, note: `cannot be decompressed (${this.encoding})` };
    if (plain === TOO_LONG)
      return {
        text: undefined,
        note: `more than ${DECOMPRESSED_MAXIMUM / 1024} KiB when decompressed (${this.encoding})`,
      };
    const isKept = length === filled && plain.length <= BODY_BYTES;
    const isWhole = !isCut && !this.#isStopped && isKept;
    const decoded = beginningOf(plain, BODY_BYTES, this.contentType);
    // A character may be cut at the end of what is kept.
    const text = isWhole ? decoded : decoded.replace(/\ufffd$/, '');
    if (!KeptBody.isText(this.contentType) && NO_TEXT.test(text)) return { text: undefined, note: 'binary' };
    const why = isCut ? 'the rest was not captured' : isKept ? STOPPED : `the first ${BODY_BYTES / 1024} KiB`;
    const note = isWhole ? undefined : why;
    return { text: this.#showSecrets ? text : maskBody(text, this.contentType, target), note };
  }
}

/** Hands a body to two that want it. */
export function both(a: BodyTaker | undefined, b: BodyTaker | undefined): BodyTaker | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    take: (bytes, start, end) => {
      a.take(bytes, start, end);
      b.take(bytes, start, end);
    },
    cut: () => {
      a.cut();
      b.cut();
    },
  };
}
