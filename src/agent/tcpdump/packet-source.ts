import { setTimeout as sleep } from 'node:timers/promises';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { PcapFramer, type PcapHandlers } from '../../wire/pcap-read.ts';
import { RING_DRAIN_MS, RING_READ_MS } from '../limits.ts';
import type { OpenNetns } from '../netns/namespace.ts';
import { makePipe } from './fifo.ts';
import { Tcpdump, type TcpdumpMode, type TcpdumpOptions } from './tcpdump.ts';

export interface SourceHandlers {
  /** The link type, before the first packet. */
  header(linkType: number): void;
  /** A packet that belongs in the stream. */
  packet: PcapHandlers['packet'];
  /** A chunk has been taken. */
  taken(): void;
}

/** Seconds from which packet times are counted, so that their nanoseconds fit a double. */
const BASE_SECONDS = Math.floor(Date.now() / 1000);

/** A packet's time: nanoseconds. */
export function packetTime(seconds: number, nanoseconds: number): number {
  return (seconds - BASE_SECONDS) * 1e9 + nanoseconds;
}

/** A moment not before now, as packet times are counted: nanoseconds. Node's clock is whole milliseconds, rounded down. */
export function packetClock(): number {
  return (Date.now() + 1 - BASE_SECONDS * 1000) * 1e6;
}

/**
 * One tcpdump and the span of time for which it is the stream's source. With nanosecond times asked for, the kernel
 * stamps a packet once for all sockets that see it (SO_TIMESTAMPNS, net_enable_timestamp), so two sources that see the same
 * packets can hand over at a moment: none is lost, none comes twice.
 */
export class PacketSource {
  readonly tcpdump: Tcpdump;
  /** Packets up to this time belong to the source before. */
  after = Number.NEGATIVE_INFINITY;
  /** Packets past this time belong to the source that follows. */
  until = Number.POSITIVE_INFINITY;
  /** Packets left out because of `after` or `until`. */
  skipped = 0;
  /** Packets that the kernel dropped while the source before delivered. */
  droppedEarlier = 0;
  /** Packets that the kernel had dropped when the source that follows took over. */
  droppedUntil: number | undefined;
  damage: KsnoopError | undefined;
  readonly #framer: PcapFramer;
  readonly #handlers: SourceHandlers;
  #newest = Number.NEGATIVE_INFINITY;
  #lastDataAt = performance.now();

  /** @throws KsnoopError NO_PIPE */
  static open(
    namespace: OpenNetns,
    options: TcpdumpOptions,
    mode: TcpdumpMode,
    handlers: SourceHandlers,
  ): PacketSource {
    const pipe = makePipe();
    return new PacketSource(handlers, (onData) => new Tcpdump({ namespace, options, mode, pipe, onData }));
  }

  private constructor(handlers: SourceHandlers, start: (onData: (chunk: Uint8Array) => void) => Tcpdump) {
    this.#handlers = handlers;
    this.#framer = new PcapFramer({
      header: ({ linkType }) => handlers.header(linkType),
      packet: (seconds, nanoseconds, caplen, origlen, bytes, offset) => {
        const time = packetTime(seconds, nanoseconds);
        if (time > this.#newest) this.#newest = time;
        if (time <= this.after || time > this.until) this.skipped += 1;
        else handlers.packet(seconds, nanoseconds, caplen, origlen, bytes, offset);
      },
    });
    this.tcpdump = start((chunk) => this.#take(chunk));
  }

  /** Packets that the kernel dropped while this source delivered. */
  get droppedByKernel(): number {
    return (this.droppedUntil ?? this.tcpdump.statistics.droppedByKernel) - this.droppedEarlier;
  }

  /** Packets that the kernel counted and that belong in the stream, as of tcpdump's last statistics. */
  get received(): number {
    const { received, droppedByKernel } = this.tcpdump.statistics;
    return received - droppedByKernel - this.skipped + this.droppedByKernel;
  }

  /**
   * Resolves with true when every packet up to a time was delivered: a later one was, or the ring was quiet for longer
   * than it can hold a packet back, and tcpdump has run since, for one that gets no processor is quiet too; with false when
   * tcpdump has ended before.
   */
  async reached(time: number): Promise<boolean> {
    const { mode } = this.tcpdump;
    const since = performance.now();
    while (this.#newest <= time && !this.tcpdump.over) {
      const quiet = performance.now() - Math.max(this.#lastDataAt, since);
      if (quiet <= RING_DRAIN_MS[mode]) {
        await sleep(10);
        continue;
      }
      const dataAt = this.#lastDataAt;
      const hasRun = (await this.tcpdump.freshStatistics()) !== undefined;
      if (hasRun) await sleep(RING_READ_MS);
      if (this.#lastDataAt === dataAt && !this.tcpdump.over) return true;
    }
    return this.#newest > time;
  }

  #take(chunk: Uint8Array): void {
    if (this.damage !== undefined) return;
    this.#lastDataAt = performance.now();
    try {
      this.#framer.push(chunk);
    } catch (thrown) {
      this.damage = thrown instanceof KsnoopError ? thrown : new KsnoopError('BAD_STREAM', messageOf(thrown));
      this.tcpdump.kill();
    }
    this.#handlers.taken();
  }
}
