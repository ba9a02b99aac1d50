import { setTimeout as sleep } from 'node:timers/promises';
import { FIRST_LISTENS_MS, FIRST_PACKETS, FIRST_PACKETS_MS, FIRST_RING_KIB, SAME_PACKET_NS } from '../limits.ts';
import type { OpenNetns } from '../netns/namespace.ts';
import { PacketSource, packetTime, type SourceHandlers } from './packet-source.ts';
import type { TcpdumpOptions } from './tcpdump.ts';

/** A packet that was brought ahead of the ring. */
interface Brought {
  readonly time: number;
  readonly origlen: number;
  readonly data: Uint8Array;
}

/**
 * The first packets of a capture, ahead of the ring's: the ring hands over its first block when its timer ends, 100 ms
 * after it was made, and a tcpdump that is given each packet at once (--immediate-mode) brings a few before that. It is
 * ended when the ring has delivered. The ring has all that this one brings, so what it loses is not lost, and what it brought
 * is left out of the ring's.
 */
export class FirstPackets {
  /** Resolves when its tcpdump has ended. */
  readonly ended: Promise<unknown>;
  readonly #source: PacketSource;
  readonly #timer: NodeJS.Timeout;
  /** Those that the ring has not shown yet. */
  readonly #brought: Brought[] = [];
  #count = 0;
  #closed = false;

  /** @throws KsnoopError NO_PIPE */
  constructor(namespace: OpenNetns, options: TcpdumpOptions, handlers: SourceHandlers) {
    const packet: SourceHandlers['packet'] = (seconds, nanoseconds, caplen, origlen, bytes, offset) => {
      if (this.#closed) return;
      // A Buffer's slice would be the reader's own memory.
      const data = new Uint8Array(bytes.subarray(offset, offset + caplen));
      this.#brought.push({ time: packetTime(seconds, nanoseconds), origlen, data });
      handlers.packet(seconds, nanoseconds, caplen, origlen, bytes, offset);
      this.#count += 1;
      if (this.#count === FIRST_PACKETS) this.close();
    };
    const small = { ...options, ringKib: Math.min(options.ringKib, FIRST_RING_KIB) };
    this.#source = PacketSource.open(namespace, small, 'immediate', { ...handlers, packet });
    this.#source.after = Number.POSITIVE_INFINITY;
    this.#timer = setTimeout(() => this.close(), FIRST_PACKETS_MS);
    this.ended = this.#source.tcpdump.ended;
  }

  /**
   * Resolves with true when it captures and is of use: the ring has not delivered yet. It is waited for but a moment, and ended if
   * it does not.
   */
  async listens(): Promise<boolean> {
    const late = sleep(FIRST_LISTENS_MS, false, { ref: false });
    const listening = await Promise.race([this.#source.tcpdump.listening, late]);
    if (!listening) this.close();
    // On a busy machine the ring's first packets, which end it, may be read before its own line that it listens.
    return !this.#closed;
  }

  /** Bring packets past this time, from which on the ring has them too. */
  begin(time: number): void {
    this.#source.after = time;
  }

  /** Whether nothing more will be brought, and all that was brought has been seen in the ring. */
  get done(): boolean {
    return this.#closed && this.#brought.length === 0;
  }

  /**
   * Whether a packet of the ring was brought before. The first one that was not ends the bringing. Times of one packet
   * may differ while the kernel has only begun to stamp (net_enable_timestamp is deferred), so its bytes are compared.
   */
  repeats(time: number, origlen: number, data: Uint8Array): boolean {
    this.close();
    const brought = this.#brought;
    while (brought[0] !== undefined && brought[0].time < time - SAME_PACKET_NS) brought.shift();
    const index = brought.findIndex(
      (one) => one.time - time <= SAME_PACKET_NS && one.origlen === origlen && Buffer.compare(one.data, data) === 0,
    );
    if (index >= 0) brought.splice(index, 1);
    return index >= 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#source.tcpdump.kill();
  }
}
