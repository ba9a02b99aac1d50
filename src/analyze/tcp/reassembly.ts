import type { Clock } from '../engine/clock.ts';
import { TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { HOLE_NS, OUT_OF_ORDER_TOTAL_BYTES, REORDER_NS, SPARE_BYTES, UNRECEIVED_NS } from '../limits.ts';
import type { Carrier } from './carrier.ts';
import { Delivery } from './delivery.ts';
import { SEEN } from './flags.ts';
import { HandedOn } from './handed-on.ts';
import { type HeldSegment, HeldSegments, Waiting } from './held-segments.ts';
import { OrderDeadlines } from './order-deadlines.ts';
import type { TcpStream } from './stream.ts';
import type { Troubles } from './troubles.ts';

/**
 * Puts both directions of connections in order, and in the order of cause and effect: a segment that acknowledges bytes of
 * the other direction is handed on after them. Bytes that the capture does not have are given up as a gap: REORDER_NS after
 * the other side acknowledged them (packets of two network cards or taps come swapped within that time), after HOLE_NS where
 * it does not, or after UNRECEIVED_NS where it showed to miss them as well. Everything is handed on with the time of the packet
 * that carried it.
 */
export class Reassembly {
  readonly #table: FlowTable;
  readonly #clock: Clock;
  readonly #handedOn: HandedOn;
  readonly #delivery: Delivery;
  readonly #deadlines: OrderDeadlines;
  readonly #onDrained: (stream: TcpStream) => void;

  /**
   * @param onDrained called when a connection waits for nothing any more
   * @param onReset called when what a reset overtook has had time to come
   */
  constructor(
    table: FlowTable,
    troubles: Troubles,
    clock: Clock,
    onDrained: (stream: TcpStream) => void,
    onReset: (stream: TcpStream) => void,
  ) {
    this.#table = table;
    this.#clock = clock;
    this.#handedOn = new HandedOn(table);
    this.#delivery = new Delivery(table, this.#handedOn, troubles, clock);
    this.#deadlines = new OrderDeadlines({
      onSoon: (stream, now) => this.#timeHasCome(stream, now, false),
      onLate: (stream, now) => this.#timeHasCome(stream, now, true),
      onReset,
    });
    this.#onDrained = onDrained;
  }

  /** Bytes that are held, of all connections. */
  get waiting(): number {
    return this.#delivery.held;
  }

  /** Holes given up; without bytes that only another leg of the connection shows. */
  get gaps(): number {
    return this.#delivery.gaps;
  }

  /**
   * A segment's bytes.
   * @param sequence int32, of the first byte
   * @param length bytes on the wire; the first `end - start` of them were captured
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
    if (stream.spares !== undefined && !carrier.isLate && wasSentBefore(stream.spares, direction, sequence, carrier)) {
      this.segment(stream, direction, sequence, length, bytes, start, end, { ...carrier, isLate: true });
      return;
    }
    const { ints } = this.#table;
    const own = this.#table.base(stream.slot) + direction;
    this.#handedOn.begin(stream, own, direction, sequence);
    const ahead = (sequence - (ints[own + TCP_I32.next] as number)) | 0;
    // Nearly every segment: whole, the next one, and nothing waits.
    if (
      ahead === 0 &&
      end - start === length &&
      stream.waiting === undefined &&
      this.#handedOn.isTimely(own, direction, carrier)
    ) {
      ints[own + TCP_I32.next] = (sequence + length) | 0;
      stream.data(direction, bytes, start, end, carrier);
      const { waiting } = stream;
      if (waiting !== undefined) this.#advance(stream, waiting);
      return;
    }
    if (ahead + length <= 0) return;
    if (ahead <= 0 && !this.#handedOn.isEarly(stream, direction, carrier)) {
      this.#delivery.handOn(stream, direction, sequence, length, bytes, start, end, carrier);
      const { waiting } = stream;
      if (waiting !== undefined) this.#advance(stream, waiting);
      return;
    }
    this.#hold(stream, direction, {
      sequence,
      length,
      captured: end - start,
      bytes:
        ahead + length <= stream.unread(direction)
          ? this.#delivery.pool.unread(bytes, start, end)
          : this.#delivery.pool.copy(bytes, start, end),
      time: this.#clock.now,
      acknowledgment: carrier.acknowledgment,
      hasAcknowledgment: carrier.hasAcknowledgment,
      clock: carrier.clock,
      isLate: carrier.isLate,
      isCrossing: carrier.isCrossing,
    });
  }

  /**
   * A segment's bytes, captured at a place that does not count for its direction: they are kept for holes of the one that
   * does, as long as that one has not brought them.
   * @param segment a view: what of `bytes` is kept is copied
   */
  spare(stream: TcpStream, direction: number, segment: HeldSegment): void {
    const next = this.#handedOn.next(stream, direction);
    if (next !== undefined && ((segment.sequence + segment.length - next) | 0) <= 0) return;
    stream.spares ??= [new HeldSegments(), new HeldSegments()];
    const spares = stream.spares[direction === 0 ? 0 : 1];
    if (next !== undefined) this.#delivery.held -= spares.dropUntil(next);
    const { captured } = segment;
    if (spares.bytes + captured > SPARE_BYTES || this.#delivery.held + captured > OUT_OF_ORDER_TOTAL_BYTES) return;
    const before = spares.bytes;
    // It came after one that lies behind it: it was sent again, or overtaken.
    const isLate = spares.reachesBehind(segment.sequence);
    spares.add({ ...segment, isLate, bytes: Uint8Array.from(segment.bytes) });
    this.#delivery.held += spares.bytes - before;
  }

  /** The place that counted for a direction has fallen silent: what was kept of others is what there is. */
  handOver(stream: TcpStream, direction: number): void {
    this.#useSpares(stream, direction);
    const { waiting } = stream;
    if (waiting !== undefined) this.#advance(stream, waiting);
  }

  /** Copies become what waits to be handed on. */
  #useSpares(stream: TcpStream, direction: number): void {
    const spares = stream.spares?.[direction === 0 ? 0 : 1];
    if (spares === undefined || spares.segments.length === 0) return;
    stream.waiting ??= new Waiting();
    const own = stream.waiting.segments[direction === 0 ? 0 : 1];
    const before = own.bytes + spares.bytes;
    for (const segment of spares.takeAll()) {
      this.#handedOn.begin(stream, this.#table.base(stream.slot) + direction, direction, segment.sequence);
      own.add(segment);
    }
    this.#delivery.held += own.bytes + spares.bytes - before;
  }

  /** An acknowledgment number came without bytes. @param direction whose it is */
  acknowledged(stream: TcpStream, direction: number, acknowledgment: number): void {
    const other = 1 - direction;
    const missing = this.#handedOn.ahead(stream, other, acknowledgment);
    if (missing <= 0) return;
    stream.waiting ??= new Waiting();
    const { waiting } = stream;
    const at = other === 0 ? 0 : 1;
    // A single byte that nothing follows is a FIN that was not captured.
    if (missing === 1 && waiting.segments[at].first === undefined) return;
    if (Number.isNaN(waiting.acknowledgedAt[at])) {
      waiting.acknowledgedAt[at] = this.#clock.now;
      waiting.acknowledged[at] = acknowledgment;
    } else if (((acknowledgment - waiting.acknowledged[at]) | 0) > 0) waiting.acknowledged[at] = acknowledgment;
    this.#await(stream, waiting);
  }

  /** Give up what has been waited for long enough, of all connections. Called for every packet: cheap when nothing is due. */
  passed(now: number): void {
    this.#deadlines.passed(now);
  }

  #timeHasCome(stream: TcpStream, now: number, late: boolean): void {
    const { waiting } = stream;
    if (waiting === undefined) return;
    if (late) waiting.late = false;
    else waiting.soon = false;
    this.#force(stream, waiting, now, late);
  }

  /**
   * Whether bytes are missing that were sent before a reset: a hole, or bytes of its sender's before its sequence number.
   * @param sequence int32, the reset's
   */
  isMissing(stream: TcpStream, direction: number, sequence: number): boolean {
    return stream.waiting !== undefined || this.#handedOn.ahead(stream, direction, sequence) > 0;
  }

  /** A connection was reset while bytes are missing: call `onReset` when they have had time to come. */
  awaitReset(stream: TcpStream): void {
    this.#deadlines.reset(stream, this.#clock.now);
  }

  /** No more will come: every hole is given up. */
  flush(stream: TcpStream): void {
    if (stream.spares !== undefined) for (const direction of [0, 1]) this.#useSpares(stream, direction);
    for (const direction of [0, 1] as const) this.#awaitFin(stream, direction);
    for (let { waiting } = stream; waiting !== undefined; { waiting } = stream) {
      const direction = oldest(waiting);
      if (direction === undefined) {
        for (const side of [0, 1] as const) this.#settleAcknowledged(stream, waiting, side);
        stream.waiting = undefined;
        return;
      }
      this.#delivery.release(stream, waiting, direction, 0);
      this.#advance(stream, waiting);
    }
  }

  /** What a FIN comes after was sent, whether anybody acknowledged it or not. */
  #awaitFin(stream: TcpStream, direction: 0 | 1): void {
    const { ints } = this.#table;
    const own = this.#table.base(stream.slot) + direction;
    if (((ints[own + TCP_I32.flags] as number) & SEEN.fin) === 0) return;
    const fin = ints[own + TCP_I32.fin] as number;
    if (this.#handedOn.ahead(stream, direction, fin) <= 0) return;
    stream.waiting ??= new Waiting();
    stream.waiting.acknowledgedAt[direction] = this.#clock.now;
    stream.waiting.acknowledged[direction] = fin;
  }

  #hold(stream: TcpStream, direction: number, segment: HeldSegment): void {
    stream.waiting ??= new Waiting();
    const { waiting } = stream;
    const own = waiting.segments[direction === 0 ? 0 : 1];
    const before = own.bytes;
    const fits = own.add(segment);
    this.#delivery.held += own.bytes - before;
    if (!fits || this.#delivery.held > OUT_OF_ORDER_TOTAL_BYTES) {
      this.#delivery.release(stream, waiting, direction, 0);
      this.#advance(stream, waiting);
      return;
    }
    // Behind others of its direction alone it changes nothing of what is waited for.
    const isBehind = own.first !== segment && waiting.segments[direction === 0 ? 1 : 0].first === undefined;
    if (!isBehind || !(waiting.soon || waiting.late)) this.#await(stream, waiting);
  }

  /** Have a look at a connection later. */
  #await(stream: TcpStream, waiting: Waiting): void {
    if (waiting.soon && waiting.late) return;
    if (this.#isDueSoon(stream, waiting)) {
      if (waiting.soon) return;
      waiting.soon = true;
      this.#deadlines.soon(stream, this.#clock.now);
    } else if (!waiting.late) {
      waiting.late = true;
      this.#deadlines.late(stream, this.#clock.now);
    }
  }

  /** Whether something waits for bytes that the other side has acknowledged, which are not to be waited for long. */
  #isDueSoon(stream: TcpStream, waiting: Waiting): boolean {
    for (const direction of [0, 1] as const) {
      if (!Number.isNaN(waiting.acknowledgedAt[direction])) return true;
      const { first } = waiting.segments[direction];
      if (first === undefined) continue;
      if (this.#handedOn.isEarly(stream, direction, first) || this.#handedOn.isHoleAcknowledged(stream, direction))
        return true;
    }
    return false;
  }

  /** Hand on what is ready. */
  #advance(stream: TcpStream, waiting: Waiting): void {
    for (let moved = true; moved && !stream.ended; ) {
      moved = false;
      for (const direction of [0, 1] as const) {
        const own = waiting.segments[direction];
        for (let { first } = own; first !== undefined; { first } = own) {
          if (this.#handedOn.isBeyond(stream, direction, first) || this.#handedOn.isEarly(stream, direction, first))
            break;
          this.#delivery.take(stream, own, direction);
          moved = true;
        }
        const { acknowledgedAt, acknowledged } = waiting;
        if (
          !Number.isNaN(acknowledgedAt[direction]) &&
          this.#handedOn.ahead(stream, direction, acknowledged[direction]) <= 0
        ) {
          acknowledgedAt[direction] = Number.NaN;
        }
      }
    }
    if (!waiting.isEmpty) this.#await(stream, waiting);
    else {
      stream.waiting = undefined;
      this.#onDrained(stream);
    }
  }

  /** A deadline has passed: hand on what has waited that long. @param late also what waits for bytes that were never acknowledged */
  #force(stream: TcpStream, waiting: Waiting, now: number, late: boolean): void {
    for (
      let due = this.#due(stream, waiting, now, late);
      due !== undefined;
      due = this.#due(stream, waiting, now, late)
    ) {
      if (!this.#giveUpAcknowledged(stream, waiting, due)) this.#delivery.release(stream, waiting, due, 0);
      if (waiting.isOneSided) this.#takeDue(stream, waiting.segments[due], due, now);
    }
    for (const direction of [0, 1] as const) {
      const since = waiting.acknowledgedAt[direction];
      if (!Number.isNaN(since) && Math.abs(now - since) >= REORDER_NS)
        this.#settleAcknowledged(stream, waiting, direction);
    }
    this.#advance(stream, waiting);
  }

  /** As nearly always nothing waits in the other direction: what stood behind a hole that was given up is due and ready. */
  #takeDue(stream: TcpStream, own: HeldSegments, direction: 0 | 1, now: number): void {
    for (let { first } = own; first !== undefined; { first } = own) {
      if (Math.abs(now - first.time) < REORDER_NS || !this.#handedOn.isHoleAcknowledged(stream, direction)) return;
      if (this.#handedOn.isBeyond(stream, direction, first) || this.#handedOn.isEarly(stream, direction, first)) return;
      this.#delivery.take(stream, own, direction);
    }
  }

  /** The direction whose first segment has waited long enough; of both the one whose was captured first. */
  #due(stream: TcpStream, waiting: Waiting, now: number, late: boolean): 0 | 1 | undefined {
    let due: 0 | 1 | undefined;
    for (const direction of [0, 1] as const) {
      const { first } = waiting.segments[direction];
      if (
        first === undefined ||
        (due !== undefined && first.time >= (waiting.segments[due].first as HeldSegment).time)
      ) {
        continue;
      }
      const soon =
        this.#handedOn.isEarly(stream, direction, first) || this.#handedOn.isHoleAcknowledged(stream, direction);
      if (!soon && !late) continue;
      const wait = soon ? REORDER_NS : this.#handedOn.isUnreceived(stream, direction, first) ? UNRECEIVED_NS : HOLE_NS;
      if (Math.abs(now - first.time) >= wait) due = direction;
    }
    return due;
  }

  /**
   * Give up what the other side has acknowledged of the hole before a direction's first waiting segment, and wait for the rest.
   * @returns whether there was such a part, and a rest
   */
  #giveUpAcknowledged(stream: TcpStream, waiting: Waiting, direction: 0 | 1): boolean {
    const { first } = waiting.segments[direction];
    if (first === undefined || stream.ended || !this.#handedOn.isHoleAcknowledged(stream, direction)) return false;
    const { ints } = this.#table;
    const acknowledged = ints[this.#table.base(stream.slot) + 1 - direction + TCP_I32.ack] as number;
    if (((acknowledged - first.sequence) | 0) >= 0) return false;
    const { now } = this.#clock;
    this.#clock.now = first.time;
    this.#delivery.bringUp(stream, waiting, direction, acknowledged, 0, undefined);
    this.#clock.now = now;
    return true;
  }

  /** Give up the bytes at the end of what was seen of a direction that the other side has acknowledged. */
  #settleAcknowledged(stream: TcpStream, waiting: Waiting, direction: 0 | 1): void {
    const since = waiting.acknowledgedAt[direction];
    if (Number.isNaN(since)) return;
    waiting.acknowledgedAt[direction] = Number.NaN;
    this.#releaseBefore(stream, waiting, direction, waiting.acknowledged[direction]);
    const { now } = this.#clock;
    this.#clock.now = since;
    this.#delivery.bringUp(stream, waiting, direction, waiting.acknowledged[direction], 0, undefined);
    this.#clock.now = now;
  }

  /** What the other side sent before it acknowledged so much of a direction comes before the bytes that it acknowledged then. */
  #releaseBefore(stream: TcpStream, waiting: Waiting, direction: 0 | 1, acknowledgment: number): void {
    const side = direction === 0 ? 1 : 0;
    const other = waiting.segments[side];
    for (let { first } = other; first?.hasAcknowledgment === true && !stream.ended; { first } = other) {
      if (((first.acknowledgment - acknowledgment) | 0) >= 0) return;
      this.#delivery.release(stream, waiting, side, 0);
      if (other.first === first) return;
    }
  }
}

/** Whether another place has a segment's bytes from a packet that acknowledges less: then they were sent again. */
function wasSentBefore(
  spares: readonly [HeldSegments, HeldSegments],
  direction: number,
  sequence: number,
  { acknowledgment, hasAcknowledgment }: Carrier,
): boolean {
  const spare = spares[direction === 0 ? 0 : 1].at(sequence);
  return spare?.hasAcknowledgment === true && hasAcknowledgment && ((acknowledgment - spare.acknowledgment) | 0) > 0;
}

/** The direction whose first waiting segment was captured first. */
function oldest({ segments: [a, b] }: Waiting): 0 | 1 | undefined {
  if (a.first === undefined) return b.first === undefined ? undefined : 1;
  return b.first === undefined || a.first.time <= b.first.time ? 0 : 1;
}
