import { withCluster } from '../../wire/capture-cluster.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { heldNs, isWholeFound, numberStream } from '../../wire/found-block.ts';
import { BLOCK, EPB_HEADER_BYTES } from '../../wire/pcapng.ts';
import { BlockFramer, type BlockView } from '../../wire/pcapng-read.ts';
import { CLOCK_NOTED_MS } from '../limits.ts';
import { FoundUnpacker } from './found-batch.ts';
import type { InterfaceQueue } from './interface-queue.ts';
import type { InterfaceOrigin, Merge } from './merge.ts';
import { aheadOrBehind, type NodeClock } from './node-clock.ts';

/** Bytes of the blocks without options (draft-ietf-opsawg-pcapng, sections 4.2 and 4.6). */
const SHORTEST_INTERFACE = 20;
const SHORTEST_STATISTICS = 24;

/** Where a stream comes from. */
export interface SourceOrigin {
  /** Name of the node. */
  readonly name: string;
  /** Distinguishes the streams of a capture. */
  readonly serial: number;
  readonly clock: NodeClock;
  /** The cluster that its interfaces name; undefined where they name none. */
  readonly cluster: string | undefined;
}

/** One agent's stream on its way into the merge. */
export class MergeSource {
  readonly name: string;
  /** Distinguishes the streams of a capture. */
  readonly serial: number;
  /** The body of the stream's end marker; set once it has been read, which means the stream is complete. */
  endMarker: Uint8Array | undefined;
  /** Bytes of packets and everything else received. */
  bytes = 0;
  /** Set when this stream continues a lost one: its interfaces state the gap in the file. */
  lostSince: { readonly from: Date; readonly reason: string } | undefined;
  /** The clock of the node it comes from. */
  readonly clock: NodeClock;
  readonly #cluster: string | undefined;
  readonly #merge: Merge;
  readonly #framer: BlockFramer;
  readonly #found = new FoundUnpacker();
  readonly #queues: InterfaceQueue[] = [];
  /** The latest time of a packet or of statistics, ns since 1970 by the node's clock. */
  #latest = -1;
  /** Of an analysis beside the agent: until when everything it found has come, by the node's clock; -1 where no analysis is known. */
  #whole = -1;

  constructor(merge: Merge, { name, serial, clock, cluster }: SourceOrigin) {
    this.#cluster = cluster;
    this.name = name;
    this.serial = serial;
    this.clock = clock;
    this.#merge = merge;
    this.#framer = new BlockFramer((block) => this.#take(block));
  }

  /** What is known now of the interface that begins next. */
  nextOrigin(): InterfaceOrigin {
    const stream = this.serial;
    const index = this.#queues.length;
    return { stream, index, gap: this.#gap(new Date()), remarks: this.#remarks() };
  }

  /** Until when this stream was delivered, by this machine's clock; undefined before its first packet or statistics. */
  get deliveredUntil(): Date | undefined {
    return this.#latest < 0 ? undefined : this.#onClockHere(this.#latest);
  }

  /**
   * Until when everything came that was found beside the agent, where it adds up what it found before that comes; by this machine's
   * clock. Undefined before the first of it, and where packets come.
   */
  get wholeUntil(): Date | undefined {
    return this.#whole < 0 ? undefined : this.#onClockHere(this.#whole);
  }

  /** @param time ns since 1970 by the node's clock */
  #onClockHere(time: number): Date {
    // A double of so many nanoseconds is exact to some hundred of them: cut off, a whole millisecond could be the one before.
    return new Date(Math.round(time / 1e6 - (this.clock.estimate?.offsetMs ?? 0)));
  }

  #gap(now: Date): string | undefined {
    if (this.lostSince === undefined) return undefined;
    const { from, reason } = this.lostSince;
    return `ksnoop: a gap before this interface, from ${from.toISOString()} to ${now.toISOString()}: ${reason}`;
  }

  /** A clock that is wrong. */
  #remarks(): string[] {
    const remarks: string[] = [];
    const { estimate } = this.clock;
    if (estimate !== undefined && Math.abs(estimate.offsetMs) > CLOCK_NOTED_MS + estimate.errorMs) {
      const done = this.#merge.correctsClocks ? 'its times are corrected' : 'its times are not corrected';
      const words = `${aheadOrBehind(estimate.offsetMs)} the clock of the machine that captured`;
      remarks.push(`ksnoop: the clock of ${this.name} was ${words} (± ${estimate.errorMs.toFixed(1)} ms); ${done}`);
    }
    return remarks;
  }

  /** Take the stream's next bytes. @throws KsnoopError DAMAGED_PCAPNG */
  push(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    this.#merge.received += chunk.length;
    this.#framer.push(chunk);
    this.#merge.release();
  }

  /** The stream has ended, complete or not: the merge stops waiting for its interfaces. */
  end(): void {
    for (const queue of this.#queues) this.#merge.closeInterface(queue);
  }

  #take(block: BlockView): void {
    switch (block.type) {
      case BLOCK.enhancedPacket:
      case BLOCK.interfaceStatistics:
      case BLOCK.ksnoopFound:
      case BLOCK.ksnoopState: {
        if (!isWhole(block)) throw this.#damaged(block, 'a packet, statistics or a state do not fit their block');
        const queue = this.#queues[block.view.getUint32(block.offset + 8, block.littleEndian)];
        if (queue === undefined) throw this.#damaged(block, 'a packet is of no interface');
        const { view, offset, littleEndian } = block;
        const time =
          view.getUint32(offset + 12, littleEndian) * 4_294_967_296 + view.getUint32(offset + 16, littleEndian);
        if (time > this.#latest) this.#latest = time;
        if (block.type === BLOCK.ksnoopFound) {
          numberStream(block, this.serial);
          this.#noteWhole(block, time);
        }
        this.#merge.enqueue(queue, block);
        return;
      }
      case BLOCK.ksnoopFoundBatch:
        this.#unpack(block);
        return;
      case BLOCK.sectionHeader:
        // Interface numbers start again in a section; an agent writes one, little-endian.
        if (!block.littleEndian || this.#framer.consumed > block.length) {
          throw this.#damaged(block, 'another section starts');
        }
        return;
      case BLOCK.interfaceDescription:
        if (block.length < SHORTEST_INTERFACE) throw this.#damaged(block, 'an interface has no link type');
        this.#openInterface(block);
        return;
      case BLOCK.ksnoopEnd:
        this.endMarker = block.bytes.slice(block.offset + 8, block.offset + block.length - 4);
        return;
      default:
        return;
    }
  }

  /** Counts say what the analysis had not sent by then; what it holds back later has begun later. @param time of the block, ns */
  #noteWhole(block: BlockView, time: number): void {
    if (this.#whole < 0) this.#whole = time;
    const held = heldNs(block);
    if (held !== undefined) this.#whole = Math.max(this.#whole, held > 0 ? time - held : this.#latest);
  }

  /** What was found comes several at a time; nothing else does. */
  #unpack(block: BlockView): void {
    if (!this.#found.each(block, (found) => this.#take(found)))
      throw this.#damaged(block, 'what was found cannot be unpacked');
  }

  #openInterface(block: BlockView): void {
    const described = this.#cluster === undefined ? undefined : withCluster(block, this.#cluster);
    this.#queues.push(
      described === undefined
        ? this.#merge.openInterface(block.bytes, block.offset, block.length, this)
        : this.#merge.openInterface(described, 0, described.length, this),
    );
  }

  #damaged(block: BlockView, what: string): KsnoopError {
    const at = this.#framer.consumed - block.length;
    return new KsnoopError('DAMAGED_PCAPNG', `The stream of ${this.name} is damaged at byte ${at}: ${what}.`);
  }
}

/** Readers of packet and statistics blocks behind the merge rely on this check. */
function isWhole(block: BlockView): boolean {
  const { type, view, offset, length, littleEndian } = block;
  if (type === BLOCK.ksnoopFound) return isWholeFound(block);
  if (type !== BLOCK.enhancedPacket) return length >= SHORTEST_STATISTICS;
  return length >= EPB_HEADER_BYTES + 4 && view.getUint32(offset + 20, littleEndian) <= length - EPB_HEADER_BYTES - 4;
}
