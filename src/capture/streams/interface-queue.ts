import { showsProgress } from '../../wire/pcapng.ts';
import { BUSY_FOR_MS, BUSY_PACKETS, REORDER_PACKETS } from '../limits.ts';

const FIRST_PLACES = 64;
const NO_FLOATS = new Float64Array(0);
const NO_INTEGERS = new Uint32Array(0);
const NO_TYPES = new Uint32Array(0);

/**
 * The blocks of one interface that wait in the merge, oldest first: a ring of parallel arrays, so that a waiting packet
 * costs no object. The bytes stay where they arrived.
 */
export class InterfaceQueue {
  /** The interface's number in the merged section. */
  readonly id: number;
  /** No more blocks will come: the merge no longer waits for this interface. */
  ended = false;
  size = 0;
  /** Packets among the blocks that wait, or what was found of them. */
  packets = 0;
  /** Its packets may come later than others' until then, milliseconds of the client's monotonic clock. */
  busyUntil = Number.NEGATIVE_INFINITY;
  /** Added to its packets' times, nanoseconds as two 32-bit words; 0 leaves them as they are. */
  shiftHigh = 0;
  shiftLow = 0;
  #countedSince = Number.NEGATIVE_INFINITY;
  #counted = 0;
  #head = 0;
  /** Places less one; a power of two less one, after the first block came. An interface without packets has no arrays. */
  #mask = -1;
  #times = NO_FLOATS;
  #arrivals = NO_FLOATS;
  #offsets = NO_INTEGERS;
  #lengths = NO_INTEGERS;
  #types: Uint32Array<ArrayBuffer> = NO_TYPES;
  #bytes: (Uint8Array | undefined)[] = [];

  constructor(id: number) {
    this.id = id;
  }

  /**
   * Take a block behind those with an earlier or the same time: a capture on several processors delivers packets a few
   * microseconds out of order. After a clock was set back blocks stay as they came, for to move each before all that
   * wait would take seconds.
   * @param time nanoseconds since the merge's base
   * @param arrival milliseconds of the client's monotonic clock
   * @param type the block's: a packet's, a statistics block's, or a state's
   */
  push(time: number, arrival: number, bytes: Uint8Array, offset: number, length: number, type: number): void {
    if (this.size > this.#mask) this.#grow();
    let place = this.size;
    const setBack = place >= REORDER_PACKETS && this.#timeAt(place - REORDER_PACKETS) > time;
    while (!setBack && place > 0 && this.#timeAt(place - 1) > time) {
      this.#move(place - 1, place);
      place -= 1;
    }
    const slot = (this.#head + place) & this.#mask;
    this.#times[slot] = time;
    this.#arrivals[slot] = arrival;
    this.#bytes[slot] = bytes;
    this.#offsets[slot] = offset;
    this.#lengths[slot] = length;
    this.#types[slot] = type;
    this.size += 1;
    if (showsProgress(type)) this.packets += 1;
    this.#countBusy(arrival);
  }

  #countBusy(arrival: number): void {
    if (arrival - this.#countedSince > 1_000) {
      this.#countedSince = arrival;
      this.#counted = 0;
    }
    this.#counted += 1;
    if (this.#counted >= BUSY_PACKETS) this.busyUntil = arrival + BUSY_FOR_MS;
  }

  /**
   * Whether statistics alone wait: their time is that at which they were taken, and the tcpdump may still hold packets from
   * before it.
   */
  get isSilent(): boolean {
    return this.size > 0 && this.packets === 0 && !this.ended;
  }

  get headTime(): number {
    return this.#times[this.#head] ?? 0;
  }

  /** Time of the block that waits last; meaningless when none waits. */
  get tailTime(): number {
    return this.#timeAt(this.size - 1);
  }

  get headArrival(): number {
    return this.#arrivals[this.#head] ?? 0;
  }

  get headOffset(): number {
    return this.#offsets[this.#head] ?? 0;
  }

  get headLength(): number {
    return this.#lengths[this.#head] ?? 0;
  }

  /** The block's type: kept here, so that its bytes need not be read. */
  get headType(): number {
    return this.#types[this.#head] ?? 0;
  }

  get headBytes(): Uint8Array {
    const bytes = this.#bytes[this.#head];
    if (bytes === undefined) throw new RangeError('the queue is empty');
    return bytes;
  }

  /** Forget the oldest block. */
  shift(): void {
    this.#bytes[this.#head] = undefined;
    if (showsProgress(this.headType)) this.packets -= 1;
    this.#head = (this.#head + 1) & this.#mask;
    this.size -= 1;
  }

  #timeAt(place: number): number {
    return this.#times[(this.#head + place) & this.#mask] ?? 0;
  }

  #move(from: number, to: number): void {
    const source = (this.#head + from) & this.#mask;
    const target = (this.#head + to) & this.#mask;
    this.#times[target] = this.#times[source] ?? 0;
    this.#arrivals[target] = this.#arrivals[source] ?? 0;
    this.#bytes[target] = this.#bytes[source];
    this.#offsets[target] = this.#offsets[source] ?? 0;
    this.#lengths[target] = this.#lengths[source] ?? 0;
    this.#types[target] = this.#types[source] ?? 0;
  }

  #grow(): void {
    const capacity = Math.max(FIRST_PLACES, (this.#mask + 1) * 2);
    const order = (slot: number) => (this.#head + slot) & this.#mask;
    const times = new Float64Array(capacity);
    const arrivals = new Float64Array(capacity);
    const offsets = new Uint32Array(capacity);
    const lengths = new Uint32Array(capacity);
    const types = new Uint32Array(capacity);
    const bytes: (Uint8Array | undefined)[] = new Array(capacity).fill(undefined);
    for (let index = 0; index < this.size; index += 1) {
      const slot = order(index);
      times[index] = this.#times[slot] ?? 0;
      arrivals[index] = this.#arrivals[slot] ?? 0;
      offsets[index] = this.#offsets[slot] ?? 0;
      lengths[index] = this.#lengths[slot] ?? 0;
      types[index] = this.#types[slot] ?? 0;
      bytes[index] = this.#bytes[slot];
    }
    this.#times = times;
    this.#arrivals = arrivals;
    this.#offsets = offsets;
    this.#lengths = lengths;
    this.#types = types;
    this.#bytes = bytes;
    this.#head = 0;
    this.#mask = capacity - 1;
  }
}
