import { SIDE, type Side } from '../record/event.ts';
import { type Framing, LengthFramer } from './length-framer.ts';
import type { StreamContext } from './protocol.ts';
import { protocolLost } from './protocol-lost.ts';

/** A message of one side, and where it lies. */
export interface FramedMessage {
  /** When its first byte came, ns. */
  readonly time: number;
  /** When its last byte came, ns; undefined where that was not captured. */
  readonly end: number | undefined;
  /** Both times are those of the packets that carried these bytes. */
  readonly timed: boolean;
  /** Bytes of it that came, and of the whole message. */
  readonly bytes: number;
  readonly length: number;
  /** No byte of it is missing. */
  readonly whole: boolean;
  /** Stream offset of its first byte. */
  readonly start: number;
  /** What the packet of its first byte acknowledges of the other side, -1 if unknown; of late bytes of the client at least. */
  readonly acknowledged: number;
  /** The most that may be. */
  readonly acknowledgedAtMost: number;
}

/** One side's messages. */
export interface SideFraming
  extends Pick<Framing, 'header' | 'headerMaximum' | 'keep' | 'tail' | 'seeking' | 'lengthOf'> {
  /**
   * @param bytes the message from `start` to `end`, as far as it is kept; valid during the call only
   * @param tail where in `bytes` the kept end of a long message begins, -1 for others
   */
  onMessage(bytes: Uint8Array, start: number, end: number, message: FramedMessage, tail: number): void;
  /** Where the side's messages begin is not known any more. */
  onLost?(): void;
  /** Bytes that may hold the beginning of messages were not captured, or are passed over. */
  onMissed?(): void;
}

/** The framed messages of both sides of a connection, by Side. */
export interface FramedProtocol {
  readonly protocol: string;
  readonly title: string;
  readonly sides: readonly [client: SideFraming, server: SideFraming];
}

/** Cuts both sides of a connection into messages that state their length, and keeps what of them was missed. */
export class FramedConnection {
  readonly #context: StreamContext;
  readonly #protocol: FramedProtocol;
  readonly #framers: readonly [LengthFramer, LengthFramer];
  readonly #reached: [number, number];
  readonly #missed: [number, number] = [-1, -1];
  /** By side: where its messages begin is not known, and what comes is passed over. */
  readonly #isLost: [boolean, boolean] = [false, false];
  /** Of each side's last packet: its time, and the stream offset of its first byte. */
  readonly #packetTime: [number, number] = [Number.NaN, Number.NaN];
  readonly #packetStart: [number, number] = [-1, -1];

  constructor(context: StreamContext, protocol: FramedProtocol) {
    this.#context = context;
    this.#protocol = protocol;
    this.#reached = [context.beginning(SIDE.client), context.beginning(SIDE.server)];
    this.#framers = [this.#framer(SIDE.client), this.#framer(SIDE.server)];
    // In the middle of a connection nothing proves that the server's first bytes begin a message.
    if (context.midstream) this.seek(SIDE.server);
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const { now, offset, acknowledged, timeKnown } = this.#context;
    const unheard = offset - this.#reached[side];
    if (unheard > 0) this.gap(side, unheard);
    this.#reached[side] = offset + end - start;
    if (now !== this.#packetTime[side]) {
      this.#packetTime[side] = now;
      this.#packetStart[side] = offset;
    }
    this.#framers[side].data(bytes, start, end, now, offset, acknowledged, timeKnown);
  }

  gap(side: Side, length: number): void {
    const framer = this.#framers[side];
    const hides = length > framer.length - framer.seen;
    this.#reached[side] += length;
    if (hides) this.#missed[side] = this.#reached[side];
    framer.gap(length, this.#context.now);
    if (!hides) return;
    this.#isLost[side] = framer.lost;
    this.#protocol.sides[side].onMissed?.();
  }

  /** The connection ends: messages under way are handed over as far as they came. */
  end(): void {
    this.#framers[SIDE.server].end();
    this.#framers[SIDE.client].end();
  }

  /** What follows is not a message: search for the next. */
  seek(side: Side): void {
    this.#framers[side].seek();
  }

  /** What a message says, which is not whole, is not known: it may be any. */
  miss(side: Side, { start, length }: FramedMessage): void {
    this.#missed[side] = Math.max(this.#missed[side], start + length);
  }

  /** Whether messages of a side may have been missed from this stream offset on. */
  missedSince(side: Side, offset: number): boolean {
    return this.#missed[side] > offset || (this.#isLost[side] && this.#reached[side] > offset);
  }

  /** During data(): whether the packet's bytes begin at this stream offset. */
  beginsPacket(side: Side, offset: number): boolean {
    return this.#packetStart[side] === offset;
  }

  #framer(side: Side): LengthFramer {
    const framing = this.#protocol.sides[side];
    const framer: LengthFramer = new LengthFramer({
      ...framing,
      holes: true,
      cut: true,
      onMessage: (bytes, from, end, length, first, last, whole, tail) => {
        const { firstAcknowledged: acknowledged, offset: start } = framer;
        if (this.#isLost[side]) {
          this.#isLost[side] = false;
          this.#missed[side] = Math.max(this.#missed[side], start);
        }
        const isLate = side === SIDE.client && start < this.#context.lateEnd;
        const message: FramedMessage = {
          time: first,
          end: framer.endSeen ? last : undefined,
          timed: framer.timed,
          bytes: framer.captured,
          length,
          whole,
          start,
          acknowledged,
          acknowledgedAtMost: isLate ? Math.max(acknowledged, this.#context.lateAcknowledged) : acknowledged,
        };
        framing.onMessage(bytes, from, end, message, tail);
      },
      onLost: () => framing.onLost?.(),
      onSkipped: (offset) => this.#skipped(side, offset),
    });
    return framer;
  }

  #skipped(side: Side, offset: number): void {
    this.#missed[side] = Math.max(this.#missed[side], offset);
    this.#isLost[side] = true;
    this.#protocol.sides[side].onMissed?.();
    const { protocol, title } = this.#protocol;
    this.#context.emit(
      protocolLost({
        protocol,
        title,
        side,
        position: offset,
        time: this.#context.now,
        why: 'no message begins there',
        next: 'resumes at the next message',
      }),
    );
  }
}
