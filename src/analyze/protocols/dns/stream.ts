import { u16 } from '../../bytes.ts';
import { PENDING_PER_STREAM } from '../../limits.ts';
import { type AnalysisEvent, type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { LengthFramer } from '../length-framer.ts';
import type { Likeness, StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { protocolLost } from '../protocol-lost.ts';
import { unfinished } from '../unfinished.ts';
import { Dialogue, type DialogueStream } from './dialogue.ts';
import { HEADER } from './message.ts';
import { LARGE_QUERY, streamLikeness } from './probe.ts';

/** Bytes of the length in front of each message (RFC 1035, section 4.2.2). */
const LENGTH = 2;
const MESSAGE_MAXIMUM = 65_535;

/** The connection is one flow. */
const FLOW = 0;

/** Bytes of a length and a message that are probed behind a gap, and the fewest that are enough. */
const SEEK_MAXIMUM = LENGTH + LARGE_QUERY;
const SEEK_LEAST = LENGTH + HEADER + 5;

/** DNS of one TCP connection: messages behind their lengths, answers in any order (RFC 7766). */
export class DnsStream implements StreamAnalyzer, DialogueStream {
  readonly #dialogue: Dialogue;
  readonly #framers: readonly [LengthFramer, LengthFramer];
  readonly #context: StreamContext;
  readonly #reached: [number, number];
  /** Answers may be in what was not captured, or not read. */
  missed = false;

  constructor(context: StreamContext) {
    this.#context = context;
    const emit = (_flow: number, event: AnalysisEvent) => context.emit(event);
    this.#dialogue = new Dialogue(context, PENDING_PER_STREAM, this, emit);
    this.#framers = [this.#framer(SIDE.client), this.#framer(SIDE.server)];
    this.#reached = [context.beginning(SIDE.client), context.beginning(SIDE.server)];
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const { now, offset, acknowledged, timeKnown } = this.#context;
    const unheard = offset - this.#reached[side];
    if (unheard > 0) this.gap(side, unheard);
    this.#reached[side] = offset + end - start;
    this.#framers[side].data(bytes, start, end, now, offset, acknowledged, timeKnown);
  }

  gap(side: Side, length: number): void {
    this.#reached[side] += length;
    this.missed = true;
    this.#framers[side].gap(length, this.#context.now);
  }

  end(how: StreamEnd): void {
    const begun = this.#framers[SIDE.server].pending;
    const why: Incomplete = this.missed && !begun ? 'response not captured' : unfinished(how, begun);
    this.#dialogue.endFlow(FLOW, why);
  }

  #framer(side: Side): LengthFramer {
    const expected: Likeness = side === SIDE.client ? 'client' : 'server';
    return new LengthFramer({
      header: LENGTH,
      keep: LENGTH + MESSAGE_MAXIMUM,
      holes: true,
      seeking: {
        bytes: SEEK_MAXIMUM,
        least: SEEK_LEAST,
        begins: (bytes, start, end) => {
          const likeness = streamLikeness(bytes, start, end);
          return likeness === 'more' && end - start < SEEK_MAXIMUM ? undefined : likeness === expected;
        },
      },
      lengthOf: (bytes, start) => (u16(bytes, start) < HEADER ? 0 : LENGTH + u16(bytes, start)),
      onMessage: (bytes, start, end, length, first, _last, whole) => {
        // What was cut out of a message hides its records.
        if (whole) this.#dialogue.message(FLOW, side, bytes, start + LENGTH, end, first, length, true);
      },
      onLost: () => {
        this.missed = true;
      },
      onSkipped: (offset) => this.#skipped(side, offset),
    });
  }

  #skipped(side: Side, position: number): void {
    this.missed = true;
    this.#context.emit(
      protocolLost({
        protocol: 'dns',
        title: 'DNS',
        side,
        position,
        time: this.#context.now,
        why: 'no message begins there',
        next: 'resumes at the next message',
      }),
    );
  }
}
