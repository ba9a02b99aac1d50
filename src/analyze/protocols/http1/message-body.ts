import { BODIES_TOTAL_BYTES, BODY_BYTES } from '../../limits.ts';
import { utf8 } from '../../record/text.ts';
import { maskBody } from './body-secrets.ts';
import { decompressed, TOO_LONG } from './content-coding.ts';
import type { BodyTaker } from './framing.ts';

/** Bytes that a body may be decompressed to. */
const DECOMPRESSED_MAXIMUM = 16 * BODY_BYTES;
/** Room that is made at first: most bodies are small. */
const ROOM_MINIMUM = 256;

/** Bodies that are texts whatever bytes are in them (RFC 6838), JSON and XML with a suffix included (RFC 9457). */
const IS_TEXT =
  /^(?:text\/|application\/(?:[\w.-]{1,100}\+)?(?:json|xml|javascript|graphql|x-ndjson|x-www-form-urlencoded)\b)/i;
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
export class MessageBody implements BodyTaker {
  readonly #bodies: Bodies;
  readonly #contentType: string;
  readonly #encoding: string;
  #bytes = new Uint8Array(0);
  #filled = 0;
  /** Bytes of it that came. */
  #length = 0;
  #isCut = false;
  #isRefused = false;

  /** @param encoding of Content-Encoding, empty for none */
  constructor(bodies: Bodies, contentType: string, encoding: string) {
    this.#bodies = bodies;
    this.#contentType = contentType;
    this.#encoding = encoding;
  }

  /** The next bytes of the body. */
  take(bytes: Uint8Array, start: number, end: number): void {
    this.#length += end - start;
    const taken = Math.min(end - start, BODY_BYTES - this.#filled);
    if (taken <= 0 || this.#isCut || this.#isRefused || !this.#makeRoom(this.#filled + taken)) return;
    this.#bytes.set(bytes.subarray(start, start + taken), this.#filled);
    this.#filled += taken;
  }

  #makeRoom(needed: number): boolean {
    if (needed <= this.#bytes.length) return true;
    const size = Math.min(BODY_BYTES, Math.max(ROOM_MINIMUM, needed, 2 * this.#bytes.length));
    const more = size - this.#bytes.length;
    if (this.#bodies.take(more) < more) {
      this.#isRefused = true;
      return false;
    }
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = bytes;
    return true;
  }

  /** Bytes were not captured: what comes behind them is not kept. */
  cut(): void {
    this.#isCut = true;
  }

  /** What was kept, as a text; it is not kept any longer. Secrets are masked as far as the body's form shows them. */
  end(): BodyText {
    const kept = this.#bytes.subarray(0, this.#filled);
    this.#bodies.giveBack(this.#bytes.length);
    this.#bytes = new Uint8Array(0);
    this.#filled = 0;
    const isCut = this.#isCut;
    // A response may end before its request does: what comes of that later is nobody's.
    this.#isCut = true;
    if (kept.length === 0) {
      if (isCut) return { text: undefined, note: 'not captured' };
      return { text: undefined, note: this.#isRefused ? 'not kept: too many bodies at once' : undefined };
    }
    const plain = decompressed(kept, this.#encoding, DECOMPRESSED_MAXIMUM);
    if (plain === undefined) return { text: undefined, note: `cannot be decompressed (${this.#encoding})` };
    if (plain === TOO_LONG)
      return {
        text: undefined,
        note: `more than ${DECOMPRESSED_MAXIMUM / 1024} KiB when decompressed (${this.#encoding})`,
      };
    const isWhole = !isCut && this.#length === kept.length && plain.length <= BODY_BYTES;
    const decoded = utf8(plain, 0, Math.min(plain.length, BODY_BYTES));
    // A character may be cut at the end of what is kept.
    const text = isWhole ? decoded : decoded.replace(/\ufffd$/, '');
    if (!IS_TEXT.test(this.#contentType) && NO_TEXT.test(text)) return { text: undefined, note: 'binary' };
    const note = isWhole ? undefined : isCut ? 'the rest was not captured' : `the first ${BODY_BYTES / 1024} KiB`;
    return { text: this.#bodies.showSecrets ? text : maskBody(text, this.#contentType), note };
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
