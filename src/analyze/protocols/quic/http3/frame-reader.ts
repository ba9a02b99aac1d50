import type { Reserve } from '../received-stream.ts';
import { LIST_MAXIMUM } from './qpack.ts';

const DATA = 0;
const HEADERS = 1;
/** Type and length, variable-length integers of up to eight bytes. */
const HEADER_MAXIMUM = 16;

/** Takes the frames of one direction of a request's stream (RFC 9114 section 7). */
export interface FrameSink {
  onData(bytes: Uint8Array, start: number, end: number): void;
  /** Bytes of a body are missing. */
  onDataHole(length: number): void;
  /** A field section, whole. @returns false where it cannot be read yet: the reader pauses */
  onSection(section: Uint8Array): boolean;
  /** A field section of which a part is missing, or that is too long. */
  onSectionHole(): void;
  /** Bytes are missing that cannot be placed: what follows cannot be read. */
  onLost(): void;
}

/** Reads the frames of one direction of a request's stream, cut anywhere. */
export class Http3FrameReader {
  lost = false;
  /** Nothing is read until this is false again. */
  paused = false;
  readonly #sink: FrameSink;
  readonly #reserve: Reserve;
  readonly #header = new Uint8Array(HEADER_MAXIMUM);
  #filled = 0;
  /** Of the frame at hand; -1 between two. */
  #type = -1;
  #left = 0;
  #section: Uint8Array | undefined;
  #sectionFilled = 0;

  /** @param reserve memory for field sections */
  constructor(sink: FrameSink, reserve: Reserve) {
    this.#sink = sink;
    this.#reserve = reserve;
  }

  /** @returns where reading paused, or `end` */
  data(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && !this.lost && !this.paused) {
      if (this.#type < 0) {
        this.#header[this.#filled] = bytes[at] as number;
        this.#filled += 1;
        at += 1;
        this.#begin();
        continue;
      }
      const taken = Math.min(this.#left, end - at);
      this.#left -= taken;
      if (this.#type === DATA) this.#sink.onData(bytes, at, at + taken);
      else if (this.#section !== undefined) {
        this.#section.set(bytes.subarray(at, at + taken), this.#sectionFilled);
        this.#sectionFilled += taken;
      }
      at += taken;
      if (this.#left === 0) this.#end();
    }
    return this.lost ? end : at;
  }

  /** So many bytes are missing. */
  hole(length: number): void {
    if (this.lost) return;
    if (this.#type < 0 || length > this.#left) {
      this.stop();
      this.#sink.onLost();
      return;
    }
    this.#left -= length;
    if (this.#type === DATA) this.#sink.onDataHole(length);
    else if (this.#type === HEADERS && this.#section !== undefined) {
      this.#release();
      this.#sink.onSectionHole();
    }
    if (this.#left === 0) this.#end();
  }

  /** Nothing more is read. */
  stop(): void {
    this.lost = true;
    this.#release();
  }

  /** Whether the bytes so far end with a whole frame. */
  get isBetweenFrames(): boolean {
    return !this.lost && this.#type < 0 && this.#filled === 0;
  }

  #release(): void {
    if (this.#section !== undefined) this.#reserve(-this.#section.length);
    this.#section = undefined;
  }

  /** Look whether the frame's header is whole. */
  #begin(): void {
    const typeLength = 1 << ((this.#header[0] as number) >>> 6);
    if (this.#filled <= typeLength) return;
    const lengthLength = 1 << ((this.#header[typeLength] as number) >>> 6);
    if (this.#filled < typeLength + lengthLength) return;
    this.#type = this.#integer(0, typeLength);
    this.#left = this.#integer(typeLength, lengthLength);
    this.#filled = 0;
    if (this.#type === HEADERS) {
      if (this.#left > LIST_MAXIMUM || !this.#reserve(this.#left)) this.#sink.onSectionHole();
      else this.#section = new Uint8Array(this.#left);
      this.#sectionFilled = 0;
    }
    if (this.#left === 0) this.#end();
  }

  #end(): void {
    const section = this.#section;
    this.#type = -1;
    this.#release();
    if (section !== undefined && !this.#sink.onSection(section)) this.paused = true;
  }

  #integer(at: number, length: number): number {
    let value = (this.#header[at] as number) & 0x3f;
    for (let index = 1; index < length; index += 1) value = value * 256 + (this.#header[at + index] as number);
    return value;
  }
}
