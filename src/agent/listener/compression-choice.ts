import type { Compression } from '../../wire/session-frame.ts';
import { COMPRESSION_GAIN, COMPRESSION_PROBE_MS, COMPRESSION_SETTLED_MS } from '../limits.ts';

/**
 * Whether compressing pays, measured on the stream itself: while the way to the client is full, its rate is taken once
 * plain and once compressed, and the faster one stays for a while. That weighs the network, the processor and the
 * ratio alike. A connection that is not saturated needs no compression.
 */
export class CompressionChoice {
  readonly #wish: Compression;
  #phase: 'idle' | 'plain' | 'compressed' | 'settled' = 'idle';
  #phaseSince = 0;
  #bytes = 0;
  #plainRate = 0;
  #winner = false;

  constructor(wish: Compression) {
    this.#wish = wish;
  }

  /** The client has taken so many more plain bytes. */
  acknowledged(bytes: number): void {
    this.#bytes += bytes;
  }

  /**
   * Whether the next frame is to be compressed.
   * @param now milliseconds
   * @param full whether more waits for the network than it takes
   */
  compress(now: number, full: boolean): boolean {
    if (this.#wish !== 'auto') return this.#wish === 'on';
    const since = now - this.#phaseSince;
    switch (this.#phase) {
      case 'idle':
        if (full) this.#enter('plain', now);
        return false;
      case 'plain':
        if (since < COMPRESSION_PROBE_MS) return false;
        // It was full for a moment only.
        if (!full) {
          this.#enter('idle', now);
          return false;
        }
        this.#plainRate = this.#bytes / since;
        this.#enter('compressed', now);
        return true;
      case 'compressed':
        if (since < COMPRESSION_PROBE_MS) return true;
        this.#winner = this.#bytes / since > this.#plainRate * COMPRESSION_GAIN;
        this.#enter('settled', now);
        return this.#winner;
      case 'settled':
        if (since >= COMPRESSION_SETTLED_MS) this.#enter('idle', now);
        return this.#winner && this.#phase === 'settled';
    }
  }

  #enter(phase: 'idle' | 'plain' | 'compressed' | 'settled', now: number): void {
    this.#phase = phase;
    this.#phaseSince = now;
    this.#bytes = 0;
  }
}
