import type { Clock } from '../engine/clock.ts';
import { TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { HOLE_ACKNOWLEDGED_NS, HOLE_NS, OUT_OF_ORDER_TOTAL_BYTES } from '../limits.ts';
import { SEEN } from './flags.ts';
import { OutOfOrder } from './out-of-order.ts';
import type { Carrier, TcpStream } from './stream.ts';
import { TROUBLE, type Troubles } from './troubles.ts';

/** Puts both directions of connections in order and hands them to their streams. */
export class Reassembly {
  /** Octets that wait behind holes, of all connections. */
  waiting = 0;
  /** Holes given up. */
  gaps = 0;
  readonly #table: FlowTable;
  readonly #troubles: Troubles;
  readonly #clock: Clock;

  constructor(table: FlowTable, troubles: Troubles, clock: Clock) {
    this.#table = table;
    this.#troubles = troubles;
    this.#clock = clock;
  }

  /**
   * A segment's octets.
   * @param sequence int32, of the first octet
   * @param length octets on the wire; the first `end - start` of them were captured
   * @param carrier the segment's acknowledgment number; read during the call
   */
  segment(
    stream: TcpStream,
    direction: number,
    sequence: number,
    length: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    carrier: Carrier,
  ): void {
    const { ints } = this.#table;
    const own = this.#table.base(stream.slot) + direction;
    const flags = ints[own + TCP_I32.flags] as number;
    if ((flags & SEEN.next) === 0) {
      ints[own + TCP_I32.flags] = flags | SEEN.next;
      ints[own + TCP_I32.next] = sequence;
    }
    const ahead = (sequence - (ints[own + TCP_I32.next] as number)) | 0;
    if (ahead > 0) {
      this.#wait(stream, direction, sequence, length, bytes, start, end, carrier);
      return;
    }
    if (ahead + length <= 0) return;
    ints[own + TCP_I32.next] = (sequence + length) | 0;
    const from = start - ahead;
    if (from < end) stream.data(direction, bytes, from, end, carrier);
    const cut = length - Math.max(end - start, -ahead);
    if (cut > 0) this.#gap(stream, direction, cut);
    if (stream.waiting[direction] !== undefined) this.#drain(stream, direction);
  }

  /** Whether octets wait behind a hole that is not to be waited for any longer; then it is given up. */
  patience(stream: TcpStream): void {
    for (let direction = 0; direction < 2; direction += 1) {
      const waiting = stream.waiting[direction];
      if (waiting === undefined) continue;
      const { ints } = this.#table;
      const own = this.#table.base(stream.slot) + direction;
      const other = this.#table.base(stream.slot) + 1 - direction;
      const acknowledged =
        ((ints[other + TCP_I32.flags] as number) & SEEN.ack) !== 0 &&
        (((ints[other + TCP_I32.ack] as number) - (ints[own + TCP_I32.next] as number)) | 0) > 0;
      const age = this.#clock.now - waiting.since;
      if (age > (acknowledged ? HOLE_ACKNOWLEDGED_NS : HOLE_NS)) this.#skip(stream, direction);
    }
  }

  /** No more will come: every hole is given up. */
  flush(stream: TcpStream): void {
    for (let direction = 0; direction < 2; direction += 1) {
      while (stream.waiting[direction] !== undefined) this.#skip(stream, direction);
    }
  }

  #wait(
    stream: TcpStream,
    direction: number,
    sequence: number,
    length: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    { acknowledgment, hasAcknowledgment }: Carrier,
  ): void {
    let waiting = stream.waiting[direction];
    if (waiting === undefined) {
      waiting = new OutOfOrder();
      stream.wait(direction, waiting);
    }
    const before = waiting.octets;
    const copy = Uint8Array.from(bytes.subarray(start, end));
    const fits = waiting.add({
      sequence,
      length,
      bytes: copy,
      time: this.#clock.now,
      acknowledgment,
      hasAcknowledgment,
    });
    this.waiting += waiting.octets - before;
    if (!fits || this.waiting > OUT_OF_ORDER_TOTAL_BYTES) this.#skip(stream, direction);
    else this.patience(stream);
  }

  /** Give up the hole before the first waiting segment. */
  #skip(stream: TcpStream, direction: number): void {
    const first = stream.waiting[direction]?.segments[0];
    if (first === undefined) {
      stream.wait(direction, undefined);
      return;
    }
    const { ints } = this.#table;
    const own = this.#table.base(stream.slot) + direction;
    const missing = (first.sequence - (ints[own + TCP_I32.next] as number)) | 0;
    if (missing > 0) {
      ints[own + TCP_I32.next] = first.sequence;
      this.#gap(stream, direction, missing);
    }
    this.#drain(stream, direction, true);
  }

  #gap(stream: TcpStream, direction: number, length: number): void {
    this.gaps += 1;
    this.#troubles.add(stream.slot, direction, TROUBLE.lost, length);
    stream.gap(direction, length);
  }

  /** Hand on what waited, as far as it joins. @param early whoever received it did not wait: it is of its own time */
  #drain(stream: TcpStream, direction: number, early = false): void {
    const waiting = stream.waiting[direction];
    if (waiting === undefined) return;
    const { ints } = this.#table;
    const own = this.#table.base(stream.slot) + direction;
    for (;;) {
      const first = waiting.segments[0];
      if (first === undefined) {
        stream.wait(direction, undefined);
        return;
      }
      const ahead = (first.sequence - (ints[own + TCP_I32.next] as number)) | 0;
      if (ahead > 0) {
        waiting.since = this.#clock.now;
        return;
      }
      waiting.shift();
      this.waiting -= first.bytes.length;
      if (ahead + first.length <= 0) continue;
      ints[own + TCP_I32.next] = (first.sequence + first.length) | 0;
      if (-ahead < first.bytes.length) {
        const { now } = this.#clock;
        if (early) this.#clock.now = first.time;
        stream.data(direction, first.bytes, -ahead, first.bytes.length, first);
        this.#clock.now = now;
      }
      const cut = first.length - Math.max(first.bytes.length, -ahead);
      if (cut > 0) this.#gap(stream, direction, cut);
    }
  }
}
