import type { Clock } from '../engine/clock.ts';
import { Deadlines } from '../flow/deadlines.ts';
import { TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import {
  HOLE_NS,
  OUT_OF_ORDER_TOTAL_BYTES,
  REORDER_NS,
  SEQUENCE_JUMP_MAXIMUM,
  SPARE_BYTES,
  UNRECEIVED_NS,
} from '../limits.ts';
import { BytePool } from './byte-pool.ts';
import { SEEN } from './flags.ts';
import { type HeldSegment, HeldSegments, Waiting } from './held-segments.ts';
import type { Carrier, TcpStream } from './stream.ts';
import { TROUBLE, type Troubles } from './troubles.ts';

/**
 * How deep deliveries of both directions may nest, each waiting for bytes that the other acknowledged. A correct TCP needs
 * no more; beyond that the order is not followed.
 */
const DEPTH_MAXIMUM = 16;

/**
 * Puts both directions of connections in order, and in the order of cause and effect: a segment that acknowledges bytes of
 * the other direction is handed on after them. Bytes that the capture does not have are given up as a gap: REORDER_NS after
 * the other side acknowledged them (packets of two network cards or taps come swapped within that time), after HOLE_NS where
 * it does not, or after UNRECEIVED_NS where it showed to miss them as well. Everything is handed on with the time of the packet
 * that carried it.
 */
export class Reassembly {
  /** Bytes that are held, of all connections. */
  waiting = 0;
  /** Holes given up; without bytes that only another leg of the connection shows. */
  gaps = 0;
  readonly #table: FlowTable;
  readonly #troubles: Troubles;
  readonly #clock: Clock;
  readonly #pool = new BytePool();
  readonly #soon = new Deadlines<TcpStream>(REORDER_NS);
  readonly #late = new Deadlines<TcpStream>(HOLE_NS);
  readonly #resets = new Deadlines<TcpStream>(REORDER_NS);
  /** Between these times, ns, nothing is due: asked for every packet. */
  #quietFrom = Number.NEGATIVE_INFINITY;
  #quietUntil = Number.POSITIVE_INFINITY;

  readonly #onDrained: (stream: TcpStream) => void;
  readonly #onReset: (stream: TcpStream) => void;

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
    this.#onDrained = onDrained;
    this.#onReset = onReset;
    this.#table = table;
    this.#troubles = troubles;
    this.#clock = clock;
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
    const flags = ints[own + TCP_I32.flags] as number;
    if ((flags & SEEN.next) === 0) {
      ints[own + TCP_I32.flags] = flags | SEEN.next;
      ints[own + TCP_I32.next] = firstSequence(stream, direction, sequence);
    }
    const ahead = (sequence - (ints[own + TCP_I32.next] as number)) | 0;
    // Nearly every segment: whole, the next one, and nothing waits.
    if (
      ahead === 0 &&
      end - start === length &&
      stream.waiting === undefined &&
      this.#isTimely(own, direction, carrier)
    ) {
      ints[own + TCP_I32.next] = (sequence + length) | 0;
      stream.data(direction, bytes, start, end, carrier);
      const { waiting } = stream;
      if (waiting !== undefined) this.#advance(stream, waiting);
      return;
    }
    if (ahead + length <= 0) return;
    if (ahead <= 0 && !this.#isEarly(stream, direction, carrier)) {
      this.#handOn(stream, direction, sequence, length, bytes, start, end, carrier);
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
          ? this.#pool.unread(bytes, start, end)
          : this.#pool.copy(bytes, start, end),
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
    const { ints } = this.#table;
    const own = this.#table.base(stream.slot) + direction;
    const isKnown = ((ints[own + TCP_I32.flags] as number) & SEEN.next) !== 0;
    const next = ints[own + TCP_I32.next] as number;
    if (isKnown && ((segment.sequence + segment.length - next) | 0) <= 0) return;
    stream.spares ??= [new HeldSegments(), new HeldSegments()];
    const spares = stream.spares[direction === 0 ? 0 : 1];
    if (isKnown) this.waiting -= spares.dropUntil(next);
    const { captured } = segment;
    if (spares.bytes + captured > SPARE_BYTES || this.waiting + captured > OUT_OF_ORDER_TOTAL_BYTES) return;
    const before = spares.bytes;
    // It came after one that lies behind it: it was sent again, or overtaken.
    const isLate = spares.reachesBehind(segment.sequence);
    spares.add({ ...segment, isLate, bytes: Uint8Array.from(segment.bytes) });
    this.waiting += spares.bytes - before;
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
      const at = this.#table.base(stream.slot) + direction;
      const flags = this.#table.ints[at + TCP_I32.flags] as number;
      if ((flags & SEEN.next) === 0) {
        this.#table.ints[at + TCP_I32.flags] = flags | SEEN.next;
        this.#table.ints[at + TCP_I32.next] = firstSequence(stream, direction, segment.sequence);
      }
      own.add(segment);
    }
    this.waiting += own.bytes + spares.bytes - before;
  }

  /** An acknowledgment number came without bytes. @param direction whose it is */
  acknowledged(stream: TcpStream, direction: number, acknowledgment: number): void {
    const other = 1 - direction;
    const missing = this.#ahead(stream, other, acknowledgment);
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
    if (now > this.#quietUntil || now < this.#quietFrom) this.#passed(now);
  }

  #passed(now: number): void {
    for (let stream = this.#soon.due(now); stream !== undefined; stream = this.#soon.due(now)) {
      const { waiting } = stream;
      if (waiting === undefined) continue;
      waiting.soon = false;
      this.#force(stream, waiting, now, false);
    }
    for (let stream = this.#late.due(now); stream !== undefined; stream = this.#late.due(now)) {
      const { waiting } = stream;
      if (waiting === undefined) continue;
      waiting.late = false;
      this.#force(stream, waiting, now, true);
    }
    for (let stream = this.#resets.due(now); stream !== undefined; stream = this.#resets.due(now))
      this.#onReset(stream);
    this.#quietFrom = Number.NEGATIVE_INFINITY;
    this.#quietUntil = Number.POSITIVE_INFINITY;
    for (const deadlines of [this.#soon, this.#late, this.#resets]) {
      if (!deadlines.isEmpty) this.#quietAround(deadlines.since, deadlines.wait);
    }
  }

  /** Something is due so long after a time, or before it: packets whose times go back far count as late. */
  #quietAround(time: number, wait: number): void {
    if (time - wait > this.#quietFrom) this.#quietFrom = time - wait;
    if (time + wait < this.#quietUntil) this.#quietUntil = time + wait;
  }

  #add(deadlines: Deadlines<TcpStream>, stream: TcpStream): void {
    const { now } = this.#clock;
    deadlines.add(stream, now);
    this.#quietAround(now, deadlines.wait);
  }

  /**
   * Whether bytes are missing that were sent before a reset: a hole, or bytes of its sender's before its sequence number.
   * @param sequence int32, the reset's
   */
  isMissing(stream: TcpStream, direction: number, sequence: number): boolean {
    return stream.waiting !== undefined || this.#ahead(stream, direction, sequence) > 0;
  }

  /** A connection was reset while bytes are missing: call `onReset` when they have had time to come. */
  awaitReset(stream: TcpStream): void {
    this.#add(this.#resets, stream);
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
      this.#release(stream, waiting, direction, 0);
      this.#advance(stream, waiting);
    }
  }

  /** What a FIN comes after was sent, whether anybody acknowledged it or not. */
  #awaitFin(stream: TcpStream, direction: 0 | 1): void {
    const { ints } = this.#table;
    const own = this.#table.base(stream.slot) + direction;
    if (((ints[own + TCP_I32.flags] as number) & SEEN.fin) === 0) return;
    const fin = ints[own + TCP_I32.fin] as number;
    if (this.#ahead(stream, direction, fin) <= 0) return;
    stream.waiting ??= new Waiting();
    stream.waiting.acknowledgedAt[direction] = this.#clock.now;
    stream.waiting.acknowledged[direction] = fin;
  }

  /** How many bytes of a direction before a sequence number are still to come; 0 where that is not known or not plausible. */
  #ahead(stream: TcpStream, direction: number, sequence: number): number {
    const { ints } = this.#table;
    const own = this.#table.base(stream.slot) + direction;
    const flags = ints[own + TCP_I32.flags] as number;
    if ((flags & SEEN.next) === 0 && !this.#beginAtAcknowledged(stream, direction, sequence)) return 0;
    let ahead = (sequence - (ints[own + TCP_I32.next] as number)) | 0;
    // A FIN takes one sequence number.
    if (ahead > 0 && flags & SEEN.fin && sequence === ints[own + TCP_I32.fin]) ahead -= 1;
    return ahead > SEQUENCE_JUMP_MAXIMUM ? 0 : ahead;
  }

  /**
   * A direction of which nothing was seen yet, and of which more than at first was acknowledged: that more was sent.
   * @param sequence int32, acknowledged now
   * @returns whether it is known from now on where the direction begins
   */
  #beginAtAcknowledged(stream: TcpStream, direction: number, sequence: number): boolean {
    const first = stream.acknowledgedFirst(direction);
    const ahead = (sequence - first) | 0;
    if (Number.isNaN(first) || ahead <= 0 || ahead > SEQUENCE_JUMP_MAXIMUM) return false;
    const { ints } = this.#table;
    const own = this.#table.base(stream.slot) + direction;
    ints[own + TCP_I32.flags] = (ints[own + TCP_I32.flags] as number) | SEEN.next;
    ints[own + TCP_I32.next] = first;
    return true;
  }

  /** Whether a segment acknowledges what was not handed on yet. */
  #isEarly(stream: TcpStream, direction: number, carrier: Carrier): boolean {
    return ordersOther(stream, direction, carrier) && this.#ahead(stream, 1 - direction, carrier.acknowledgment) > 0;
  }

  /** Whether a segment certainly acknowledges nothing that was not handed on yet. @param own as in `segment` */
  #isTimely(own: number, direction: number, carrier: Carrier): boolean {
    const { ints } = this.#table;
    const other = own + 1 - 2 * direction;
    return (
      ((ints[other + TCP_I32.flags] as number) & SEEN.next) !== 0 &&
      ((carrier.acknowledgment - (ints[other + TCP_I32.next] as number)) | 0) <= 0
    );
  }

  #hold(stream: TcpStream, direction: number, segment: HeldSegment): void {
    stream.waiting ??= new Waiting();
    const { waiting } = stream;
    const own = waiting.segments[direction === 0 ? 0 : 1];
    const before = own.bytes;
    const fits = own.add(segment);
    this.waiting += own.bytes - before;
    if (!fits || this.waiting > OUT_OF_ORDER_TOTAL_BYTES) {
      this.#release(stream, waiting, direction, 0);
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
      this.#add(this.#soon, stream);
    } else if (!waiting.late) {
      waiting.late = true;
      this.#add(this.#late, stream);
    }
  }

  /** Whether something waits for bytes that the other side has acknowledged, which are not to be waited for long. */
  #isDueSoon(stream: TcpStream, waiting: Waiting): boolean {
    for (const direction of [0, 1] as const) {
      if (!Number.isNaN(waiting.acknowledgedAt[direction])) return true;
      const { first } = waiting.segments[direction];
      if (first === undefined) continue;
      if (this.#isEarly(stream, direction, first) || this.#isHoleAcknowledged(stream, direction)) return true;
    }
    return false;
  }

  #isHoleAcknowledged(stream: TcpStream, direction: number): boolean {
    const { ints } = this.#table;
    const other = this.#table.base(stream.slot) + 1 - direction;
    return (
      ((ints[other + TCP_I32.flags] as number) & SEEN.ack) !== 0 &&
      this.#ahead(stream, direction, ints[other + TCP_I32.ack] as number) > 0
    );
  }

  /** Hand on what is ready. */
  #advance(stream: TcpStream, waiting: Waiting): void {
    for (let moved = true; moved && !stream.ended; ) {
      moved = false;
      for (const direction of [0, 1] as const) {
        const own = waiting.segments[direction];
        for (let { first } = own; first !== undefined; { first } = own) {
          if (this.#isBeyond(stream, direction, first) || this.#isEarly(stream, direction, first)) break;
          this.#take(stream, own, direction);
          moved = true;
        }
        const { acknowledgedAt, acknowledged } = waiting;
        if (!Number.isNaN(acknowledgedAt[direction]) && this.#ahead(stream, direction, acknowledged[direction]) <= 0) {
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

  /** Whether there is a hole before a segment. */
  #isBeyond(stream: TcpStream, direction: number, segment: HeldSegment): boolean {
    const own = this.#table.base(stream.slot) + direction;
    return ((segment.sequence - (this.#table.ints[own + TCP_I32.next] as number)) | 0) > 0;
  }

  /** A deadline has passed: hand on what has waited that long. @param late also what waits for bytes that were never acknowledged */
  #force(stream: TcpStream, waiting: Waiting, now: number, late: boolean): void {
    for (
      let due = this.#due(stream, waiting, now, late);
      due !== undefined;
      due = this.#due(stream, waiting, now, late)
    ) {
      if (!this.#giveUpAcknowledged(stream, waiting, due)) this.#release(stream, waiting, due, 0);
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
      if (Math.abs(now - first.time) < REORDER_NS || !this.#isHoleAcknowledged(stream, direction)) return;
      if (this.#isBeyond(stream, direction, first) || this.#isEarly(stream, direction, first)) return;
      this.#take(stream, own, direction);
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
      const soon = this.#isEarly(stream, direction, first) || this.#isHoleAcknowledged(stream, direction);
      if (!soon && !late) continue;
      const wait = soon ? REORDER_NS : this.#isUnreceived(stream, direction, first) ? UNRECEIVED_NS : HOLE_NS;
      if (Math.abs(now - first.time) >= wait) due = direction;
    }
    return due;
  }

  /** Whether the other side showed, after a segment that waits, that it does not have the bytes before it either. */
  #isUnreceived(stream: TcpStream, direction: number, { time }: HeldSegment): boolean {
    const { ints, doubles } = this.#table;
    const base = this.#table.base(stream.slot);
    const other = 1 - direction;
    return (
      ((ints[base + other + TCP_I32.flags] as number) & SEEN.ack) !== 0 &&
      (doubles[(base >> 1) + TCP_F64.ackTime + other] as number) > time
    );
  }

  /**
   * Give up what the other side has acknowledged of the hole before a direction's first waiting segment, and wait for the rest.
   * @returns whether there was such a part, and a rest
   */
  #giveUpAcknowledged(stream: TcpStream, waiting: Waiting, direction: 0 | 1): boolean {
    const { first } = waiting.segments[direction];
    if (first === undefined || stream.ended || !this.#isHoleAcknowledged(stream, direction)) return false;
    const { ints } = this.#table;
    const acknowledged = ints[this.#table.base(stream.slot) + 1 - direction + TCP_I32.ack] as number;
    if (((acknowledged - first.sequence) | 0) >= 0) return false;
    const { now } = this.#clock;
    this.#clock.now = first.time;
    this.#bringUp(stream, waiting, direction, acknowledged, 0, undefined);
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
    this.#bringUp(stream, waiting, direction, waiting.acknowledged[direction], 0, undefined);
    this.#clock.now = now;
  }

  /** What the other side sent before it acknowledged so much of a direction comes before the bytes that it acknowledged then. */
  #releaseBefore(stream: TcpStream, waiting: Waiting, direction: 0 | 1, acknowledgment: number): void {
    const side = direction === 0 ? 1 : 0;
    const other = waiting.segments[side];
    for (let { first } = other; first?.hasAcknowledgment === true && !stream.ended; { first } = other) {
      if (((first.acknowledgment - acknowledgment) | 0) >= 0) return;
      this.#release(stream, waiting, side, 0);
      if (other.first === first) return;
    }
  }

  /** Hand on a direction's first waiting segment, and before it what it stands on; gaps where that was not captured. */
  #release(stream: TcpStream, waiting: Waiting, direction: number, depth: number, limit?: number): void {
    const own = waiting.segments[direction === 0 ? 0 : 1];
    const { first } = own;
    if (first === undefined) return;
    const { now } = this.#clock;
    this.#clock.now = first.time;
    this.#bringUp(stream, waiting, direction, first.sequence, depth, limit);
    if (depth < DEPTH_MAXIMUM && ordersOther(stream, direction, first) && own.first === first) {
      const acknowledgment = earlier(first.acknowledgment, limit);
      this.#bringUp(stream, waiting, 1 - direction, acknowledgment, depth + 1, first.sequence);
    }
    if (own.first === first) this.#take(stream, own, direction);
    this.#clock.now = now;
  }

  /**
   * Hand on all of a direction before a sequence number.
   * @param limit of the other direction: what is handed on for the bytes there was sent before them, whatever a retransmission of
   *   it acknowledges
   */
  #bringUp(
    stream: TcpStream,
    waiting: Waiting,
    direction: number,
    sequence: number,
    depth: number,
    limit: number | undefined,
  ): void {
    const own = waiting.segments[direction === 0 ? 0 : 1];
    for (let missing = this.#ahead(stream, direction, sequence); missing > 0 && !stream.ended; ) {
      const { first } = own;
      if (first !== undefined && !this.#isBeyond(stream, direction, first)) {
        if (this.#answers(first, limit)) return;
        this.#release(stream, waiting, direction, depth, limit);
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
      missing = this.#ahead(stream, direction, sequence);
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
      this.#bringUp(stream, waiting, 1 - direction, earlier(known.acknowledgment, limit), depth + 1, next);
      this.#clock.now = now;
      // That may have needed this one.
      if (spares.at(next) !== known) return true;
    }
    const spare = spares.takeAt(next);
    if (spare === undefined) return false;
    this.waiting -= spare.captured;
    const carrier = { ...spare, clock: -1 };
    const { now } = this.#clock;
    this.#clock.now = spare.time;
    this.#handOn(stream, direction, spare.sequence, spare.length, spare.bytes, 0, spare.captured, carrier);
    this.#clock.now = now;
    return true;
  }

  /** Hand on a direction's first waiting segment, which there is no hole before. */
  #take(stream: TcpStream, own: HeldSegments, direction: number): void {
    const before = own.bytes;
    const first = own.shift();
    this.waiting -= before - own.bytes;
    if (first === undefined) return;
    const { now } = this.#clock;
    this.#clock.now = first.time;
    this.#handOn(stream, direction, first.sequence, first.length, first.bytes, 0, first.captured, first);
    this.#pool.give(first.bytes);
    this.#clock.now = now;
  }

  /** What of a segment was not handed on before, there being no hole before it. */
  #handOn(
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

/**
 * Whether what a segment acknowledges comes before it. A request that was sent again acknowledges its own answer, if that had
 * come meanwhile.
 */
function ordersOther(stream: TcpStream, direction: number, { hasAcknowledgment, isLate }: Carrier): boolean {
  return hasAcknowledgment && !(isLate && direction === stream.client);
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

/** The earlier one of two sequence numbers. */
function earlier(sequence: number, limit: number | undefined): number {
  return limit !== undefined && ((sequence - limit) | 0) > 0 ? limit : sequence;
}

/** The direction whose first waiting segment was captured first. */
function oldest({ segments: [a, b] }: Waiting): 0 | 1 | undefined {
  if (a.first === undefined) return b.first === undefined ? undefined : 1;
  return b.first === undefined || a.first.time <= b.first.time ? 0 : 1;
}

/**
 * Where a direction begins whose SYN was not captured: what the other one acknowledged first, where that lies before the
 * first bytes captured; those between were not captured. A server's bytes that the client had acknowledged before were sent again, and
 * answer nothing that the client has sent since.
 */
function firstSequence(stream: TcpStream, direction: number, sequence: number): number {
  const acknowledged = stream.acknowledgedFirst(direction);
  const ahead = (sequence - acknowledged) | 0;
  if (Number.isNaN(acknowledged) || Math.abs(ahead) > SEQUENCE_JUMP_MAXIMUM) return sequence;
  return ahead > 0 || direction !== stream.client ? acknowledged : sequence;
}
