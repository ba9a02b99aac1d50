import { TOO_LONG } from './content-coding.ts';
import { beginningOf, KeptBody } from './kept-body.ts';

/** Bytes kept of an error's body, as sent; and of what they are decompressed to at most. */
export const ERROR_BODY_BYTES = 1024;
const DECOMPRESSED_MAXIMUM = 64 * 1024;
/** Characters of its text, and bytes that are looked at to find them. */
const TEXT_CHARACTERS = 200;
const LOOKED_AT = 4096;

/** Types that say nothing: a body of printable ASCII is a text all the same. */
const MAY_BE_TEXT = /^(?:$|application\/octet-stream\b)/i;
const PRINTABLE = /^[\t\r\n\x20-\x7e]*$/;

/** The beginning of the body of a response that is an error, as it comes. */
export class ErrorBody extends KeptBody {
  /** @param encoding of Content-Encoding, empty for none */
  constructor(contentType: string, encoding: string) {
    super(contentType, encoding, { kept: ERROR_BODY_BYTES, decompressed: DECOMPRESSED_MAXIMUM });
  }

  /** Whether a response is an error whose body is a text, or may be one. */
  static isWanted(status: number, contentType: string): boolean {
    return status >= 400 && (KeptBody.isText(contentType) || MAY_BE_TEXT.test(contentType));
  }

  /**
   * The first line of the body with a text in it; of HTML the title, of JSON all of the beginning in one line. Undefined where there is
   * none, or it cannot be decompressed. Secrets are not masked.
   */
  text(): string | undefined {
    const plain = this.plain();
    if (plain === undefined || plain === TOO_LONG || plain.length === 0) return undefined;
    const decoded = beginningOf(plain, LOOKED_AT, this.contentType);
    if (!KeptBody.isText(this.contentType) && !PRINTABLE.test(decoded)) return undefined;
    const text = this.#lineOf(decoded).trim().slice(0, TEXT_CHARACTERS);
    return text === '' ? undefined : text;
  }

  #lineOf(decoded: string): string {
    if (/\bjson\b/i.test(this.contentType)) return decoded.replace(/\s+/g, ' ');
    if (/^text\/html\b/i.test(this.contentType)) return titleOf(decoded);
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
