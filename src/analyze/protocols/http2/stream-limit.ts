import { i32, u16 } from '../../bytes.ts';
import { type Notice, SIDE } from '../../record/event.ts';

/** Identifier of the setting (RFC 9113, section 6.5.2). */
const MAX_CONCURRENT_STREAMS = 3;

/** A request so soon after another stream's end, ns, while all others are in use, waited; so many are reported. */
const STREAM_WAIT_NS = 1e6;
const WAITED_REQUESTS = 20;

/**
 * How many streams the server of a connection allows at once, and the requests that waited for it: such a request takes the last
 * stream as soon as another one has ended.
 */
export class StreamLimit {
  /** Streams at once. */
  #streams = Number.POSITIVE_INFINITY;
  /** When a stream last ended, ns; and requests that waited for that. */
  #lastEnded = Number.NaN;
  #waited = 0;

  /** Settings of the server. @param start, end of the frame's settings: 16 bits of identifier, 32 of value (RFC 9113, section 6.5.1) */
  settings(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at + 6 <= end; at += 6) {
      if (u16(bytes, at) === MAX_CONCURRENT_STREAMS) this.#streams = i32(bytes, at + 2) >>> 0;
    }
  }

  /** A stream has ended. @param now ns */
  ended(now: number): void {
    this.#lastEnded = now;
  }

  /**
   * The client opens a stream.
   * @param open streams, with this one
   * @param now ns
   * @returns the event that reports the requests that waited, once for a connection
   */
  opened(open: number, now: number): Notice | undefined {
    if (open < this.#streams || !(now - this.#lastEnded <= STREAM_WAIT_NS)) return undefined;
    this.#waited += 1;
    if (this.#waited !== WAITED_REQUESTS) return undefined;
    return {
      kind: 'event',
      protocol: 'http',
      code: 'HTTP2_STREAM_LIMIT',
      label: `${WAITED_REQUESTS} requests waited for the limit of ${this.#streams} streams`,
      time: now,
      from: SIDE.server,
      failed: false,
      fields: { http: { version: '2' } },
    };
  }
}
