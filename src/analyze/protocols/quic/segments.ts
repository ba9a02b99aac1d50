import { u8 } from '../../bytes.ts';

/** Sizes of packets that senders choose, the usual ones first: a path's MTU without IP's and UDP's headers, and those of RFC 8899's probes. */
const USUAL_SIZES = [1252, 1280, 1350, 1357, 1200, 1392, 1440, 1452, 1472, 1232];
const LEAST = 1200;
const MOST = 1500;
/** Datagrams of one direction for which all sizes are tried: each costs hundreds of tags. */
const SEARCHES_MAXIMUM = 64;
/** Sizes that are remembered of packets that were opened: a path's MTU is found out with a few. */
const SIZES_MAXIMUM = 8;

/**
 * Where packets end in what was captured as one datagram and is several: a kernel that leaves it to the network card to cut
 * (UDP GSO, `UDP_SEGMENT`) hands tcpdump one long datagram. All parts but the last are of one size, which is nowhere stated.
 */
export class Segments {
  /** Sizes that packets had, the latest first. */
  #sizes: number[] = [];
  #searches = 0;

  /** Whether a datagram is longer than a packet can be. */
  isLong(length: number): boolean {
    return length > MOST;
  }

  /** A packet of so many bytes was opened. */
  opened(length: number): void {
    if (length < LEAST || length > MOST || this.#sizes[0] === length) return;
    this.#sizes = [length, ...this.#sizes.filter((other) => other !== length)].slice(0, SIZES_MAXIMUM);
  }

  /**
   * Find the end of the packet at `start`, which does not end with its datagram.
   * @param datagram where the datagram begins
   * @param opens whether a packet's tag verifies with this end
   */
  find(
    { bytes, datagram, start, end }: { bytes: Uint8Array; datagram: number; start: number; end: number },
    opens: (end: number) => boolean,
  ): boolean {
    if (end - datagram <= LEAST) return false;
    const attempt = (size: number): boolean => {
      const boundary = datagram + size * (Math.floor((start - datagram) / size) + 1);
      // The next part has a short header: without the long header's bit, and not padding.
      if (boundary >= end || (u8(bytes, boundary) & 0x80) !== 0 || u8(bytes, boundary) === 0) return false;
      if (!opens(boundary)) return false;
      this.opened(size);
      return true;
    };
    // A copy: a size that fits changes the list.
    if ([...this.#sizes].some(attempt) || USUAL_SIZES.some(attempt)) return true;
    if (this.#searches >= SEARCHES_MAXIMUM) return false;
    this.#searches += 1;
    for (let size = LEAST; size <= MOST; size += 1) if (attempt(size)) return true;
    return false;
  }
}
