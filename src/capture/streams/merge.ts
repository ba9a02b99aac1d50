import { KsnoopError } from '../../wire/errors.ts';
import { INTERFACE_BYTES_MAXIMUM, INTERFACES_MAXIMUM } from '../../wire/limits.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import type { BlockView } from '../../wire/pcapng-read.ts';
import { BUSY_WINDOW_MS, MERGE_BYTES, SAME_TIME_NS } from '../limits.ts';
import { InterfaceQueue } from './interface-queue.ts';
import { MergeSource } from './merge-source.ts';
import { MergeWait } from './merge-wait.ts';
import { type ClockOfNode, NodeClock } from './node-clock.ts';
import { nodeKey } from './node-ref.ts';
import { QueueHeap } from './queue-heap.ts';

/** Where an interface comes from, for readers of a file. Plain data: it may be kept. */
export interface InterfaceOrigin {
  /** The stream it came in, by the source's serial number, and its number there. */
  readonly stream: number;
  readonly index: number;
  /** A gap before its first packet, a sentence; undefined without one. */
  readonly gap: string | undefined;
  /** What holds for all of its packets, a sentence each. */
  readonly remarks: readonly string[];
}

/** Where merged blocks go. All calls are synchronous; `bytes` are valid during the call only. */
export interface BlockSink {
  /** An interface has joined, numbered in order from 0. `bytes` hold its Interface Description Block. */
  addInterface(id: number, bytes: Uint8Array, offset: number, length: number, origin: InterfaceOrigin): void;
  /** A packet or statistics block of that interface, its interface number already the merged one. */
  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void;
}

/**
 * Orders the packets of several agents' streams by time. Every interface is in order by itself, so the merge always
 * takes the earliest head: at once when every open interface shows a packet, else when it has waited as long as its MergeWait says, or
 * BUSY_WINDOW_MS where an interface that shows none has lately been busy, or when MERGE_BYTES wait in all. Nothing is ever dropped; a packet that comes after a later one was written is `late`.
 */
export class Merge {
  /** Packets written after one with a time stamp later by more than SAME_TIME_NS. */
  late = 0;
  /** Bytes of all sources so far. */
  received = 0;
  /** Nothing is written yet, up to MERGE_BYTES of it. */
  held = false;
  readonly #sink: BlockSink;
  readonly #now: () => number;
  readonly correctsClocks: boolean;
  readonly #wait: MergeWait;
  /** By cluster and node (`nodeKey`): the streams that follow one another on a node have one clock. */
  readonly clocks = new Map<string, ClockOfNode>();
  readonly #heap = new QueueHeap();
  /** Interfaces that have lately been busy. */
  readonly #busy = new Set<InterfaceQueue>();
  #sources = 0;
  #interfaces = 0;
  #interfaceBytes = 0;
  #open = 0;
  /** Interfaces of which statistics alone wait: they show no packet. */
  #silent = 0;
  #waitingBytes = 0;
  #base: number | undefined;
  #baseLow = 0;
  #lastTime = Number.NEGATIVE_INFINITY;
  /** When the packet of that time came. */
  #lastArrival = 0;

  /**
   * @param now the monotonic clock, milliseconds
   * @param correctsClocks bring every node's times to this machine's clock, by what is known of it when an interface begins
   * @param wait how long a packet waits for interfaces that show none
   */
  constructor(
    sink: BlockSink,
    now: () => number = () => performance.now(),
    correctsClocks = false,
    wait = new MergeWait(),
  ) {
    this.#sink = sink;
    this.#now = now;
    this.correctsClocks = correctsClocks;
    this.#wait = wait;
  }

  /**
   * A new stream of a node; `cluster` is empty for this machine.
   * @param namesCluster its interfaces name their cluster, for the capture has several
   */
  addSource(node: string, cluster = '', namesCluster = false): MergeSource {
    this.#sources += 1;
    const key = nodeKey({ cluster, node });
    const of = this.clocks.get(key) ?? { cluster, node, clock: new NodeClock() };
    this.clocks.set(key, of);
    return new MergeSource(this, {
      name: node,
      serial: this.#sources,
      clock: of.clock,
      cluster: namesCluster ? cluster : undefined,
    });
  }

  /** Bytes that wait for an earlier packet of another interface. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Write what need not wait any longer; called after every chunk, so that packets of one chunk are in order among
   * themselves, and every few milliseconds while anything waits.
   */
  release(): void {
    const now = this.#now();
    for (let head = this.#heap.first; head !== undefined; head = this.#heap.first) {
      if (this.#waits(head, now)) return;
      this.#writeHead(head);
    }
  }

  #waits(head: InterfaceQueue, now: number): boolean {
    if (this.#waitingBytes > MERGE_BYTES) return false;
    if (this.held) return true;
    // Statistics themselves wait for the other interfaces only.
    const showing = this.#heap.size - this.#silent + (head.isSilent ? 1 : 0);
    if (showing >= this.#open) return false;
    const waited = now - head.headArrival;
    return waited < this.#wait.at(now) || (waited < BUSY_WINDOW_MS && this.#missesBusy(now));
  }

  /** Whether an interface that shows no packet has lately been busy. */
  #missesBusy(now: number): boolean {
    for (const queue of this.#busy) {
      if (queue.ended || queue.busyUntil < now) this.#busy.delete(queue);
      else if (queue.packets === 0) return true;
    }
    return false;
  }

  /** Write all that waits, in order. */
  flush(): void {
    for (let head = this.#heap.first; head !== undefined; head = this.#heap.first) this.#writeHead(head);
  }

  /** @internal called by a source */
  openInterface(bytes: Uint8Array, offset: number, length: number, source: MergeSource): InterfaceQueue {
    if (this.#interfaces >= INTERFACES_MAXIMUM) {
      throw new KsnoopError('TOO_MANY_INTERFACES', `The capture has seen more than ${INTERFACES_MAXIMUM} interfaces.`);
    }
    this.#interfaceBytes += length;
    if (this.#interfaceBytes > INTERFACE_BYTES_MAXIMUM) {
      const most = `${INTERFACE_BYTES_MAXIMUM / 1024 / 1024} MiB`;
      throw new KsnoopError('TOO_MANY_INTERFACES', `The descriptions of the capture's interfaces exceed ${most}.`);
    }
    const queue = new InterfaceQueue(this.#interfaces);
    this.#interfaces += 1;
    this.#open += 1;
    if (this.correctsClocks) shiftBy(queue, source);
    this.#sink.addInterface(queue.id, bytes, offset, length, source.nextOrigin());
    return queue;
  }

  /** @internal called by a source */
  closeInterface(queue: InterfaceQueue): void {
    if (queue.ended) return;
    if (queue.isSilent) this.#silent -= 1;
    queue.ended = true;
    if (queue.size === 0) this.#open -= 1;
  }

  /** @internal called by a source: `block` is a packet or statistics block, time stamp in its words 3 and 4 */
  enqueue(queue: InterfaceQueue, block: BlockView): void {
    block.view.setUint32(block.offset + 8, queue.id, block.littleEndian);
    if (queue.shiftHigh !== 0 || queue.shiftLow !== 0) shiftTime(block, queue.shiftHigh, queue.shiftLow);
    let time = this.#time(block);
    // Statistics are about the packets before them and stay behind them; what was found is in order as it comes.
    if (block.type !== BLOCK.enhancedPacket && queue.size > 0) time = Math.max(time, queue.tailTime);
    const wasEmpty = queue.size === 0;
    const headTime = queue.headTime;
    const wasBusy = queue.busyUntil;
    const wasSilent = queue.isSilent;
    const now = this.#now();
    const first = this.#heap.first;
    if (queue.packets === 0 && first !== undefined && time < first.headTime && block.type === BLOCK.enhancedPacket) {
      this.#wait.needed(now - first.headArrival, now);
    }
    queue.push(time, now, block.bytes, block.offset, block.length, block.type);
    this.#waitingBytes += block.length;
    this.#silent += Number(queue.isSilent) - Number(wasSilent);
    if (queue.busyUntil !== wasBusy) this.#busy.add(queue);
    if (wasEmpty) this.#heap.add(queue);
    else if (time < headTime) this.#heap.headMoved(queue);
    if (this.#waitingBytes > MERGE_BYTES) this.release();
  }

  /** Nanoseconds since the first time stamp seen: exact in a double for a hundred days. */
  #time(block: BlockView): number {
    const high = block.view.getUint32(block.offset + 12, block.littleEndian);
    const low = block.view.getUint32(block.offset + 16, block.littleEndian);
    if (this.#base === undefined) {
      this.#base = high;
      this.#baseLow = low;
    }
    return (high - this.#base) * 4_294_967_296 + (low - this.#baseLow);
  }

  #writeHead(queue: InterfaceQueue): void {
    const { headBytes: bytes, headOffset: offset, headLength: length, headTime: time, headType: type } = queue;
    const arrival = queue.headArrival;
    const wasSilent = queue.isSilent;
    queue.shift();
    this.#silent += Number(queue.isSilent) - Number(wasSilent);
    this.#waitingBytes -= length;
    this.#heap.firstShifted();
    if (queue.size === 0 && queue.ended) this.#open -= 1;
    if (type === BLOCK.enhancedPacket) {
      if (time < this.#lastTime - SAME_TIME_NS) {
        this.late += 1;
        this.#wait.needed(arrival - this.#lastArrival, arrival);
      } else if (time > this.#lastTime) {
        this.#lastTime = time;
        this.#lastArrival = arrival;
      }
    }
    this.#sink.write(type, queue.id, bytes, offset, length);
  }
}

/** By how much an interface's times are to be changed so that they are this machine's. */
function shiftBy(queue: InterfaceQueue, { clock }: MergeSource): void {
  const { estimate } = clock;
  if (estimate === undefined) return;
  const shift = Math.round(-estimate.offsetMs * 1e6);
  queue.shiftHigh = Math.floor(shift / 4_294_967_296);
  queue.shiftLow = shift - queue.shiftHigh * 4_294_967_296;
}

function shiftTime({ view, offset, littleEndian }: BlockView, high: number, low: number): void {
  const sum = view.getUint32(offset + 16, littleEndian) + low;
  const carry = sum >= 4_294_967_296 ? 1 : 0;
  view.setUint32(offset + 12, view.getUint32(offset + 12, littleEndian) + high + carry, littleEndian);
  view.setUint32(offset + 16, sum, littleEndian);
}
