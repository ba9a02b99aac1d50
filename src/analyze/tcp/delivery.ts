import type { Clock } from '../engine/clock.ts';
import { TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { BytePool } from './byte-pool.ts';
import type { Carrier } from './carrier.ts';
import { type HandedOn, ordersOther } from './handed-on.ts';
import type { HeldSegment, HeldSegments, Waiting } from './held-segments.ts';
import type { TcpStream } from './stream.ts';
import { TROUBLE, type Troubles } from './troubles.ts';

/**
 * How deep deliveries of both directions may nest, each waiting for bytes that the other acknowledged. A correct TCP needs
 * no more; beyond that the order is not followed.
 */
const DEPTH_MAXIMUM = 16;

/**
 * Hands segments on, each with the time of the packet that carried it and after what it stands on: the bytes before it, and those of
 * the other direction that it acknowledges. What was not captured of them is a gap.
 */
export class Delivery {
  /** Bytes that are held, of all connections. */
  held = 0;
  /** Holes given up; without bytes that only another leg of the connection shows. */
  gaps = 0;
  /** Of the bytes of segments that wait. */
  readonly pool = new BytePool();
  readonly #table: FlowTable;
  readonly #handedOn: HandedOn;
  readonly #troubles: Troubles;
  readonly #clock: Clock;

  constructor(table: FlowTable, handedOn: HandedOn, troubles: Troubles, clock: Clock) {
    this.#table = table;
    this.#handedOn = handedOn;
    this.#troubles = troubles;
    this.#clock = clock;
  }

  /** Hand on a direction's first waiting segment, and before it what it stands on; gaps where that was not captured. */
  release(stream: TcpStream, waiting: Waiting, direction: number, depth: number, limit?: number): void {
    const own = waiting.segments[direction === 0 ? 0 : 1];
    const { first } = own;
    if (first === undefined) return;
    const { now } = this.#clock;
    this.#clock.now = first.time;
    this.bringUp(stream, waiting, direction, first.sequence, depth, limit);
    if (depth < DEPTH_MAXIMUM && ordersOther(stream, direction, first) && own.first === first) {
      const acknowledgment = earlier(first.acknowledgment, limit);
      this.bringUp(stream, waiting, 1 - direction, acknowledgment, depth + 1, first.sequence);
    }
    if (own.first === first) this.take(stream, own, direction);
    this.#clock.now = now;
  }

  /**
   * Hand on all of a direction before a sequence number.
   * @param limit of the other direction: what is handed on for the bytes there was sent before them, whatever a retransmission of
   *   it acknowledges
   */
  bringUp(
    stream: TcpStream,
    waiting: Waiting,
    direction: number,
    sequence: number,
    depth: number,
    limit: number | undefined,
  ): void {
    const own = waiting.segments[direction === 0 ? 0 : 1];
    for (let missing = this.#handedOn.ahead(stream, direction, sequence); missing > 0 && !stream.ended; ) {
      const { first } = own;
      if (first !== undefined && !this.#handedOn.isBeyond(stream, direction, first)) {
        if (this.#answers(first, limit)) return;
        this.release(stream, waiting, direction, depth, limit);
      } else {
        const next = this.#table.ints[this.#table.base(stream.slot) + direction + TCP_I32.next] as number;
        const copy = stream.spares?.[direction === 0 ? 0 : 1].at(next);
        if (copy !== undefined && this.#answers(copy, limit)) return;
        if (!this.#fill(stream, waiting, direction, next, depth, limit)) {
          const spare = stream.spares?.[direction === 0 ? 0 : 1].after(next);
          const held = first === undefined ? missing : Math.min(missing, (first.sequence - next) | 0);
          this.#gap(stream, direction, spare === undefined ? held : Math.min(held, (spare.sequence - next) | 0));
        }
      }
      missing = this.#handedOn.ahead(stream, direction, sequence);
    }
  }

  /**
   * Whether a segment answers the bytes at hand, which wait for it: those were sent again when they had been answered. Else it was
   * itself sent again, for it came later.
   */
  #answers({ acknowledgment, hasAcknowledgment, time }: HeldSegment, limit: number | undefined): boolean {
    return limit !== undefined && hasAcknowledgment && ((acknowledgment - limit) | 0) > 0 && time <= this.#clock.now;
  }

  /** Hand on what another place has of a hole's beginning, and before it what that stands on. @returns whether there was some */
  #fill(
    stream: TcpStream,
    waiting: Waiting,
    direction: number,
    next: number,
    depth: number,
    limit: number | undefined,
  ): boolean {
    const spares = stream.spares?.[direction === 0 ? 0 : 1];
    const known = spares?.at(next);
    if (spares === undefined || known === undefined) return false;
    if (depth < DEPTH_MAXIMUM && known.hasAcknowledgment) {
      const { now } = this.#clock;
      this.#clock.now = known.time;
      this.bringUp(stream, waiting, 1 - direction, earlier(known.acknowledgment, limit), depth + 1, next);
      this.#clock.now = now;
      // That may have needed this one.
      if (spares.at(next) !== known) return true;
    }
    const spare = spares.takeAt(next);
    if (spare === undefined) return false;
    this.held -= spare.captured;
    const carrier = { ...spare, clock: -1 };
    const { now } = this.#clock;
    this.#clock.now = spare.time;
    this.handOn(stream, direction, spare.sequence, spare.length, spare.bytes, 0, spare.captured, carrier);
    this.#clock.now = now;
    return true;
  }

  /** Hand on a direction's first waiting segment, which there is no hole before. */
  take(stream: TcpStream, own: HeldSegments, direction: number): void {
    const before = own.bytes;
    const first = own.shift();
    this.held -= before - own.bytes;
    if (first === undefined) return;
    const { now } = this.#clock;
    this.#clock.now = first.time;
    this.handOn(stream, direction, first.sequence, first.length, first.bytes, 0, first.captured, first);
    this.pool.give(first.bytes);
    this.#clock.now = now;
  }

  /** What of a segment was not handed on before, there being no hole before it. */
  handOn(
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
    const own = this.#table.base(stream.slot) + direction + TCP_I32.next;
    let known = ((ints[own] as number) - sequence) | 0;
    if (known >= length) return;
    // Behind a hole too long to be brought up piece by piece (SEQUENCE_JUMP_MAXIMUM), whose bytes were not captured.
    if (known < 0) {
      this.#gap(stream, direction, -known);
      known = 0;
    }
    const from = start + known;
    if (from < end) {
      ints[own] = (sequence + end - start) | 0;
      stream.data(direction, bytes, from, end, carrier);
    }
    const cut = length - Math.max(end - start, known);
    if (cut > 0) this.#gap(stream, direction, cut, true);
  }

  #gap(stream: TcpStream, direction: number, length: number, isCut = false): void {
    if (!stream.isHalfLeg(direction)) this.gaps += 1;
    const own = this.#table.base(stream.slot) + direction + TCP_I32.next;
    this.#table.ints[own] = ((this.#table.ints[own] as number) + length) | 0;
    this.#troubles.add(stream.slot, direction, TROUBLE.lost, length);
    stream.gap(direction, length, isCut);
  }
}

/** The earlier one of two sequence numbers. */
function earlier(sequence: number, limit: number | undefined): number {
  return limit !== undefined && ((sequence - limit) | 0) > 0 ? limit : sequence;
}
