import { joinedBytes } from '../../wire/bytes.ts';
import { PROBE_BYTES } from '../limits.ts';
import { Recognition } from '../protocols/recognise.ts';
import { SIDE, type Side } from '../record/event.ts';

/** What the last look at any connection's bytes gave. */
export const recognition = new Recognition();

/** The ports of a connection. */
export interface ClientAndServerPort {
  readonly clientPort: number;
  readonly serverPort: number;
}

/** Bytes that were handed on before their protocol was recognised: a copy, and what StreamContext had of them. */
export interface FirstPortion {
  readonly side: Side;
  readonly bytes: Uint8Array;
  /** Of their packet, ns. */
  readonly time: number;
  readonly offset: number;
  readonly acknowledged: number;
  readonly timeKnown: boolean;
}

/** The bytes that a connection begins with, kept until a protocol recognises them: PROBE_BYTES at most. */
export class FirstBytes {
  #portions: FirstPortion[] = [];
  #size = 0;

  /** In the order in which they were handed on. */
  get portions(): readonly FirstPortion[] {
    return this.#portions;
  }

  /**
   * Look at further bytes of a side, together with those of it that are kept. `recognition` has what was found.
   * @returns whether a protocol recognises them, or may do so with more
   */
  look(
    side: Side,
    bytes: Uint8Array,
    start: number,
    end: number,
    { clientPort, serverPort }: ClientAndServerPort,
  ): boolean {
    const known = this.#portions.filter((portion) => portion.side === side).map((portion) => portion.bytes);
    const joined = joinedBytes([...known, bytes.subarray(start, end)]);
    recognition.look(joined, 0, joined.length, serverPort, clientPort);
    return recognition.protocol !== undefined || recognition.undecided;
  }

  /** Keep a copy of bytes. @returns false where that would be too many: nothing changes then */
  keep(portion: FirstPortion): boolean {
    const { length } = portion.bytes;
    if (this.#size + length > PROBE_BYTES) return false;
    this.#portions.push({ ...portion, bytes: Uint8Array.from(portion.bytes) });
    this.#size += length;
    return true;
  }

  /** The client turns out to be the other side. */
  swapSides(): void {
    this.#portions = this.#portions.map((portion) => ({
      ...portion,
      side: portion.side === SIDE.client ? SIDE.server : SIDE.client,
    }));
  }
}
