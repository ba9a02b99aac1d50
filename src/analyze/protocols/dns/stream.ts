import { u16 } from '../../bytes.ts';
import { PENDING_PER_STREAM } from '../../limits.ts';
import { type AnalysisEvent, type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { LengthFramer } from '../length-framer.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { Dialogue } from './dialogue.ts';
import { HEADER } from './message.ts';
import { strictLikeness } from './probe.ts';

/** Octets of the length in front of each message (RFC 1035, section 4.2.2). */
const LENGTH = 2;
const MESSAGE_MAXIMUM = 65_535;

/** The connection is one flow. */
const FLOW = 0;

/** DNS of one TCP connection: messages behind their lengths, answers in any order (RFC 7766). */
export class DnsStream implements StreamAnalyzer {
  readonly #dialogue: Dialogue;
  readonly #framers: readonly [LengthFramer, LengthFramer];
  readonly #context: StreamContext;
  /** A direction's next message is where one might begin, behind a gap: it has to prove it. */
  readonly #unproven: [boolean, boolean] = [false, false];
  #gap = false;

  constructor(context: StreamContext) {
    this.#context = context;
    const emit = (_flow: number, event: AnalysisEvent) => context.emit(event);
    this.#dialogue = new Dialogue(context, PENDING_PER_STREAM, true, emit);
    this.#framers = [this.#framer(SIDE.client), this.#framer(SIDE.server)];
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    this.#framers[side].data(bytes, start, end, this.#context.now);
  }

  gap(side: Side, _length: number): void {
    this.#gap = true;
    this.#framers[side].restart();
    this.#unproven[side] = true;
  }

  end(how: StreamEnd): void {
    const why: Incomplete = how === 'reset' ? 'reset' : this.#gap ? 'response not captured' : 'no response';
    this.#dialogue.endFlow(FLOW, why);
  }

  #framer(side: Side): LengthFramer {
    return new LengthFramer({
      header: LENGTH,
      keep: LENGTH + MESSAGE_MAXIMUM,
      lengthOf: (bytes, start) => (u16(bytes, start) < HEADER ? 0 : LENGTH + u16(bytes, start)),
      onMessage: (bytes, start, end, length, first) => this.#message(side, bytes, start, end, length, first),
      onLost: () => {
        this.#gap = true;
      },
    });
  }

  #message(side: Side, bytes: Uint8Array, start: number, end: number, length: number, first: number): void {
    const at = start + LENGTH;
    if (this.#unproven[side]) {
      if (strictLikeness(bytes, at, end) === 'no') {
        this.#framers[side].stop();
        return;
      }
      this.#unproven[side] = false;
    }
    this.#dialogue.message(FLOW, side, bytes, at, end, first, length, true);
  }
}
