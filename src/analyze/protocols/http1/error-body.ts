import { utf8 } from '../../record/text.ts';
import { decompressed, TOO_LONG } from './content-coding.ts';

/** Bytes kept of an error's body, as sent; and of what they are decompressed to at most. */
export const ERROR_BODY_BYTES = 1024;
const DECOMPRESSED_MAXIMUM = 64 * 1024;
/** Characters of its text, and bytes that are looked at to find them. */
const TEXT_CHARACTERS = 200;
const LOOKED_AT = 4096;

/** Bodies that are texts (RFC 6838), JSON and XML with a suffix included (RFC 9457). */
const IS_TEXT = /^(?:text\/|application\/(?:[\w.-]{1,100}\+)?(?:json|xml)\b)/i;

/** Types that say nothing: a body of printable ASCII is a text all the same. */
const MAY_BE_TEXT = /^(?:$|application\/octet-stream\b)/i;
const PRINTABLE = /^[\t\r\n\x20-\x7e]*$/;

/** The beginning of the body of a response that is an error, as it comes. */
export class ErrorBody {
  readonly #contentType: string;
  readonly #encoding: string;
  readonly #bytes = new Uint8Array(ERROR_BODY_BYTES);
  #filled = 0;
  #isCut = false;

  /** @param encoding of Content-Encoding, empty for none */
  constructor(contentType: string, encoding: string) {
    this.#contentType = contentType;
    this.#encoding = encoding;
  }

  /** Whether a response is an error whose body is a text, or may be one. */
  static isWanted(status: number, contentType: string): boolean {
    return status >= 400 && (IS_TEXT.test(contentType) || MAY_BE_TEXT.test(contentType));
  }

  /** The next bytes of the body. */
  take(bytes: Uint8Array, start: number, end: number): void {
    const taken = Math.min(end - start, ERROR_BODY_BYTES - this.#filled);
    if (taken <= 0 || this.#isCut) return;
    this.#bytes.set(bytes.subarray(start, start + taken), this.#filled);
    this.#filled += taken;
  }

  /** Bytes were not captured: what comes behind them is not the beginning. */
  cut(): void {
    this.#isCut = true;
  }

  /**
   * The first line of the body with a text in it; of HTML the title, of JSON all of the beginning in one line. Undefined where there is
   * none, or it cannot be decompressed. Secrets are not masked.
   */
  text(): string | undefined {
    const plain = decompressed(this.#bytes.subarray(0, this.#filled), this.#encoding, DECOMPRESSED_MAXIMUM);
    if (plain === undefined || plain === TOO_LONG || plain.length === 0) return undefined;
    const decoded = utf8(plain, 0, Math.min(plain.length, LOOKED_AT));
    if (!IS_TEXT.test(this.#contentType) && !PRINTABLE.test(decoded)) return undefined;
    const text = this.#lineOf(decoded).trim().slice(0, TEXT_CHARACTERS);
    return text === '' ? undefined : text;
  }

  #lineOf(decoded: string): string {
    if (/\bjson\b/i.test(this.#contentType)) return decoded.replace(/\s+/g, ' ');
    if (/^text\/html\b/i.test(this.#contentType)) return titleOf(decoded);
    return decoded.split(/[\r\n]+/).find((line) => line.trim() !== '') ?? '';
  }
}

/** The title of an HTML page; empty where it has none. */
function titleOf(html: string): string {
  const lower = html.toLowerCase();
  const start = lower.indexOf('<title>');
  const end = lower.indexOf('</title>', start);
  return start < 0 || end < 0 ? '' : html.slice(start + '<title>'.length, end);
}
