import { TCP_F64, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { SEQUENCE_JUMP_MAXIMUM } from '../limits.ts';
import type { Carrier } from './carrier.ts';
import { SEEN } from './flags.ts';
import type { HeldSegment } from './held-segments.ts';
import type { TcpStream } from './stream.ts';

/** Up to where each direction of connections was handed on, and what that says of a segment. */
export class HandedOn {
  readonly #table: FlowTable;

  constructor(table: FlowTable) {
    this.#table = table;
  }

  /** The next byte's sequence number, int32; undefined before the first one. */
  next(stream: TcpStream, direction: number): number | undefined {
    const { ints } = this.#table;
    const own = this.#table.base(stream.slot) + direction;
    return ((ints[own + TCP_I32.flags] as number) & SEEN.next) === 0 ? undefined : ints[own + TCP_I32.next];
  }

  /** A segment of a direction came: where the direction begins, unless that is known. @param own index of the direction's state */
  begin(stream: TcpStream, own: number, direction: number, sequence: number): void {
    const { ints } = this.#table;
    const flags = ints[own + TCP_I32.flags] as number;
    if ((flags & SEEN.next) !== 0) return;
    ints[own + TCP_I32.flags] = flags | SEEN.next;
    ints[own + TCP_I32.next] = firstSequence(stream, direction, sequence);
  }

  /** How many bytes of a direction before a sequence number are still to come; 0 where that is not known or not plausible. */
  ahead(stream: TcpStream, direction: number, sequence: number): number {
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
  isEarly(stream: TcpStream, direction: number, carrier: Carrier): boolean {
    return ordersOther(stream, direction, carrier) && this.ahead(stream, 1 - direction, carrier.acknowledgment) > 0;
  }

  /** Whether a segment certainly acknowledges nothing that was not handed on yet. @param own as in `begin` */
  isTimely(own: number, direction: number, carrier: Carrier): boolean {
    const { ints } = this.#table;
    const other = own + 1 - 2 * direction;
    return (
      ((ints[other + TCP_I32.flags] as number) & SEEN.next) !== 0 &&
      ((carrier.acknowledgment - (ints[other + TCP_I32.next] as number)) | 0) <= 0
    );
  }

  /** Whether the other side has acknowledged bytes of a direction that were not handed on. */
  isHoleAcknowledged(stream: TcpStream, direction: number): boolean {
    const { ints } = this.#table;
    const other = this.#table.base(stream.slot) + 1 - direction;
    return (
      ((ints[other + TCP_I32.flags] as number) & SEEN.ack) !== 0 &&
      this.ahead(stream, direction, ints[other + TCP_I32.ack] as number) > 0
    );
  }

  /** Whether there is a hole before a segment. */
  isBeyond(stream: TcpStream, direction: number, segment: HeldSegment): boolean {
    const own = this.#table.base(stream.slot) + direction;
    return ((segment.sequence - (this.#table.ints[own + TCP_I32.next] as number)) | 0) > 0;
  }

  /** Whether the other side showed, after a segment that waits, that it does not have the bytes before it either. */
  isUnreceived(stream: TcpStream, direction: number, { time }: HeldSegment): boolean {
    const { ints, doubles } = this.#table;
    const base = this.#table.base(stream.slot);
    const other = 1 - direction;
    return (
      ((ints[base + other + TCP_I32.flags] as number) & SEEN.ack) !== 0 &&
      (doubles[(base >> 1) + TCP_F64.ackTime + other] as number) > time
    );
  }
}

/**
 * Whether what a segment acknowledges comes before it. A request that was sent again acknowledges its own answer, if that had
 * come meanwhile.
 */
export function ordersOther(stream: TcpStream, direction: number, { hasAcknowledgment, isLate }: Carrier): boolean {
  return hasAcknowledgment && !(isLate && direction === stream.client);
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
