import { utf8 } from '../../record/text.ts';
import { decompressed, type TOO_LONG } from './content-coding.ts';
import type { BodyTaker } from './framing.ts';

/** Room that is made at first: most bodies are small. */
const ROOM_MINIMUM = 256;

/** Types of bodies that are texts (RFC 6838), JSON and XML with a suffix included (RFC 9457). */
const IS_TEXT =
  /^(?:text\/|application\/(?:[\w.-]{1,100}\+)?(?:json|xml|javascript|graphql|x-ndjson|x-www-form-urlencoded)\b)/i;

/** What counts the bytes that are kept of all bodies. */
interface Room {
  /** @returns bytes that may be kept, `wanted` or none */
  take(wanted: number): number;
  giveBack(bytes: number): void;
}

export interface BodyLimits {
  /** Bytes kept as they were sent. */
  readonly kept: number;
  /** Bytes they may be decompressed to. */
  readonly decompressed: number;
  /** What shares the bytes of all bodies; each may be kept without. */
  readonly room?: Room | undefined;
}

/** The beginning of a body, as it comes and as it was sent. */
export class KeptBody implements BodyTaker {
  readonly contentType: string;
  readonly encoding: string;
  readonly #limits: BodyLimits;
  #bytes = new Uint8Array(0);
  #filled = 0;
  /** Bytes of it that came. */
  length = 0;
  /** Bytes were not captured: what comes behind them is not kept. */
  isCut = false;
  /** There was no room for it. */
  isRefused = false;

  /** @param encoding of Content-Encoding, empty for none */
  constructor(contentType: string, encoding: string, limits: BodyLimits) {
    this.contentType = contentType;
    this.encoding = encoding;
    this.#limits = limits;
  }

  /** Whether its type is one of a text. */
  static isText(contentType: string): boolean {
    return IS_TEXT.test(contentType);
  }

  /** Bytes that are kept. */
  get filled(): number {
    return this.#filled;
  }

  /** The next bytes of the body. */
  take(bytes: Uint8Array, start: number, end: number): void {
    this.length += end - start;
    const taken = Math.min(end - start, this.#limits.kept - this.#filled);
    if (taken <= 0 || this.isCut || this.isRefused || !this.#makeRoom(this.#filled + taken)) return;
    this.#bytes.set(bytes.subarray(start, start + taken), this.#filled);
    this.#filled += taken;
  }

  cut(): void {
    this.isCut = true;
  }

  /** What was kept, without its coding: see `decompressed`. It is kept on. */
  plain(): Uint8Array | typeof TOO_LONG | undefined {
    return decompressed(this.#bytes.subarray(0, this.#filled), this.encoding, this.#limits.decompressed);
  }

  /** Nothing is kept any longer, and nothing that comes later. */
  release(): void {
    this.#limits.room?.giveBack(this.#bytes.length);
    this.#bytes = new Uint8Array(0);
    this.#filled = 0;
    this.isCut = true;
  }

  #makeRoom(needed: number): boolean {
    if (needed <= this.#bytes.length) return true;
    const size = Math.min(this.#limits.kept, Math.max(ROOM_MINIMUM, needed, 2 * this.#bytes.length));
    const more = size - this.#bytes.length;
    if (this.#limits.room !== undefined && this.#limits.room.take(more) < more) {
      this.isRefused = true;
      return false;
    }
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = bytes;
    return true;
  }
}

/**
 * So many bytes of a body at most, as a text: by its byte order mark, else by the charset of its type (RFC 9110, 8.3.2), else
 * UTF-8. Bytes that are none of it become U+FFFD.
 */
export function beginningOf(plain: Uint8Array, maximum: number, contentType: string): string {
  const end = Math.min(plain.length, maximum);
  const decoder = decoderOf(markOf(plain) ?? CHARSET.exec(contentType)?.[1] ?? UTF8);
  return decoder === undefined ? utf8(plain, 0, end) : decoder.decode(plain.subarray(0, end));
}

const UTF8 = 'utf-8';
const CHARSET = /;\s{0,9}charset\s{0,9}=\s{0,9}"?([\w.:-]{1,40})/i;
/** Decoders by the names of charsets, as the Encoding Standard has them; undefined for UTF-8 and what is not known. */
const decoders = new Map<string, TextDecoder | undefined>();
/** Names that are kept: anybody can make up one. */
const DECODERS_MAXIMUM = 100;

function decoderOf(charset: string): TextDecoder | undefined {
  const name = charset.toLowerCase();
  if (name === UTF8 || name === 'utf8') return undefined;
  if (decoders.has(name)) return decoders.get(name);
  let decoder: TextDecoder | undefined;
  try {
    decoder = new TextDecoder(name);
  } catch {
    // A name of no charset: UTF-8 is the best guess.
  }
  if (decoders.size < DECODERS_MAXIMUM) decoders.set(name, decoder);
  return decoder;
}

/** The charset that a byte order mark shows. */
function markOf(plain: Uint8Array): string | undefined {
  const [first, second] = plain;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}
